import json

from odoo import api, fields, models

from ..providers.types import Unreadable
from ..tools import clean

REPLAYED = 200  # at once


class SocialCrmParkedItem(models.Model):
    """An inbound item that could not be used, with its payload and the reason; to be replayed."""

    _name = 'social.crm.parked.item'
    _description = 'Parked Social Item'
    _order = 'id desc'
    _rec_name = 'reason'

    account_id = fields.Many2one(
        'social.crm.account', required=True, readonly=True, index=True, ondelete='cascade'
    )
    stream_id = fields.Many2one(
        'social.crm.stream', readonly=True, ondelete='set null', index='btree_not_null'
    )
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    network = fields.Selection(related='account_id.network', store=True)
    external_id = fields.Char(readonly=True)
    form_key = fields.Char(
        'Lead Form', readonly=True, index='btree_not_null', help="The form's number at the network."
    )
    reason = fields.Char(readonly=True)
    payload = fields.Json(readonly=True)
    payload_text = fields.Text('Payload Received', compute='_compute_payload_text')
    state = fields.Selection(
        [
            ('parked', 'Parked'),
            ('named', 'To Be Fetched'),
            ('replayed', 'Replayed'),
            ('dropped', 'Dropped'),
        ],
        default='parked',
        required=True,
        readonly=True,
    )

    _unique_item = models.UniqueIndex(
        "(account_id, external_id) WHERE state IN ('parked', 'named') AND external_id IS NOT NULL",
        'This item is parked already.',
    )

    # === COMPUTE METHODS === #

    @api.depends('payload')
    def _compute_payload_text(self):
        for item in self:
            item.payload_text = json.dumps(item.payload, indent=2, ensure_ascii=False)

    # === ACTION METHODS === #

    def action_replay(self):
        """Try again to make mentions of the parked items."""
        self._replay_all()

    def action_drop(self):
        """Give these up: they are not kept again either."""
        self.check_access('read')
        self.sudo().state = (
            'dropped'  # sudo: rows are the module's; those who may read may give up on one
        )

    # === BUSINESS METHODS === #

    @api.model
    def _park(self, stream, unreadable: Unreadable, form_key=''):
        """Keep an item for later; one that is parked already, or was dropped, is not kept twice.

        :param form_key: of a lead form's submission, the form's external id
        """
        values = {
            'account_id': stream.account_id.id,
            'stream_id': stream.id,
            'external_id': clean(unreadable.external_id, 500) or False,
            'form_key': clean(form_key, 500) or False,
            **self._parked_values(unreadable),
        }
        domain = [
            ('account_id', '=', stream.account_id.id),
            ('external_id', '=', values['external_id']),
        ]
        known = (
            self.search([*domain, ('state', 'in', ('parked', 'named', 'dropped'))], limit=1)
            if values['external_id']
            else self.browse()
        )
        if known.state == 'dropped':
            return
        if known:
            known.write(values)
        else:
            self.create(values)

    @api.model
    def _parked_values(self, unreadable):
        return {
            'state': 'parked',
            'reason': clean(unreadable.reason, 500),
            'payload': _storable(unreadable.payload),
        }

    @api.model
    def _forget(self, account, external_ids):
        """Delete what was parked and is deleted at the network, such as a lead that was
        withdrawn."""
        if external_ids:
            self.search(
                [('account_id', '=', account.id), ('external_id', 'in', external_ids)]
            ).unlink()

    def _replay_all(self):
        """Make mentions of those that can be read by now, many of a stream at once."""
        self.check_access('read')
        # sudo: replaying stores mentions, which is the module's own doing
        parked = self.sudo().filtered(lambda item: item.state == 'parked')
        for items in parked.grouped('stream_id').values():
            for start in range(0, len(items), REPLAYED):
                items[start : start + REPLAYED]._replay()
        self.env.ref('social_crm.ir_cron_act').sudo()._trigger()  # sudo: wake the loop only

    def _replay(self):
        """Replay items of one stream, as superuser."""
        stream, provider = self.stream_id, self.account_id._offline_provider()
        pages = {item: provider.read(stream.kind, item.payload) for item in self}
        problems = stream._submission_problems(
            [one for page in pages.values() for one in page.items if one.kind == 'lead_form']
        )
        usable = []
        for item, page in pages.items():
            reasons = [one.reason for one in page.unreadable]
            reasons += [problems[i.external_id] for i in page.items if i.external_id in problems]
            if reasons:
                item.reason = clean(reasons[0], 500)
            else:
                item.state = 'replayed'  # before: what cannot be stored after all is parked anew
                usable += page.items
        stream._store_items(usable)


def _storable(value):
    """Return a payload without what PostgreSQL's JSON cannot hold."""
    if isinstance(value, str):
        return value.replace('\x00', '')
    if isinstance(value, dict):
        return {str(key): _storable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_storable(item) for item in value]
    return value if isinstance(value, (int, float, bool, type(None))) else str(value)
