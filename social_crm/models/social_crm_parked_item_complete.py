from odoo import api, fields, models

from ..calls import Call
from ..tools import clean


class SocialCrmParkedItem(models.Model):
    """Items that a network only named: the loop fetches them, by the account's login."""

    _name = 'social.crm.parked.item'
    _inherit = ['social.crm.parked.item', 'social.crm.fetch.mixin']

    item_due = fields.Datetime(readonly=True, copy=False)
    item_tries = fields.Integer(readonly=True, copy=False)

    _item_due = models.Index('(item_due) WHERE item_due IS NOT NULL')

    def _parked_values(self, unreadable):
        if unreadable.incomplete:
            return super()._parked_values(unreadable) | self._named_values()
        return super()._parked_values(unreadable) | {'item_due': False, 'item_tries': 0}

    def _named_values(self):
        """Return the values of an item that is to be fetched now; wake the loop that does it."""
        # sudo: wake the loop only
        self.env.ref('social_crm.ir_cron_complete').sudo()._trigger()
        return {'state': 'named', 'item_due': fields.Datetime.now(), 'item_tries': 0}

    def _replay(self):
        """Have those that were only named fetched once more; read the others again."""
        named = self.filtered('item_tries')
        if named:
            named.write(self._named_values())
        others = self - named
        return super(SocialCrmParkedItem, others)._replay() if others else None

    @api.model
    def _cron_complete(self):
        """Fetch the items that were only named."""
        self._fetch_all('item')

    def _item_request(self):
        """Return a call that fetches the item; it touches no database."""
        self.ensure_one()
        provider, stream, payload = self.account_id._reader(), self.stream_id.kind, self.payload
        return Call(provider, lambda: provider.complete(stream, payload))

    def _store_item(self, page):
        """Store the item as if it had been pushed whole."""
        self.write({'item_due': False, 'state': 'replayed'})
        self.stream_id._store_push(page)

    def _failed_values(self, name, error):
        values = super()._failed_values(name, error)
        values['reason'] = clean(self.account_id._explain(error), 500)
        return values if values['item_due'] else {**values, 'state': 'parked'}
