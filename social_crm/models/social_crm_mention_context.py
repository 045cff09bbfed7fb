from odoo import api, fields, models

from ..calls import Call
from ..providers import adapter_class
from ..providers.errors import NotSupported
from ..tools import clean, clean_name, clean_url, naive

STORED = 60  # posts kept of one conversation
TEXT_LENGTH = 5000


class SocialCrmMention(models.Model):
    """The rest of a mention's conversation, fetched by the loop: what stands above and below it."""

    _name = 'social.crm.mention'
    _inherit = ['social.crm.mention', 'social.crm.fetch.mixin']

    parent_local_id = fields.Char(readonly=True, copy=False)
    context = fields.Json('Posts Around It', readonly=True, copy=False)
    context_due = fields.Datetime(readonly=True, copy=False)
    context_tries = fields.Integer(readonly=True, copy=False)
    has_context = fields.Boolean('Conversation Loaded', readonly=True, copy=False)

    _context_due = models.Index('(context_due) WHERE context_due IS NOT NULL')

    def action_fetch_context(self):
        """Have the whole conversation fetched; it shows as soon as the loop has it."""
        self.check_access('read')
        # sudo: whoever reads a mention may have its conversation looked up
        self.sudo().write({'context_due': fields.Datetime.now(), 'context_tries': 0})
        self.env.ref('social_crm.ir_cron_context').sudo()._trigger()  # sudo: wake the loop only

    @api.model
    def _cron_fetch_contexts(self):
        """Fetch the conversations that are wanted."""
        self._fetch_all('context')

    @api.model
    def _fetch_contexts(self):
        """Fetch a round of conversations; return their number."""
        return self._fetch_due('context')

    def _context_request(self):
        """Return a call that fetches the conversation; it touches no database."""
        self.ensure_one()
        if 'thread' not in adapter_class(self.network).features:
            raise NotSupported('thread')
        provider = self.account_id._reader()
        external_id, local_id = self.external_id, self.local_id or ''
        return Call(provider, lambda: provider.thread(external_id, local_id))

    def _store_context(self, items):
        """Keep the posts around this mention, and recognise own answers among them."""
        values = {
            'context': [_as_json(item) for item in items[:STORED]],
            'context_due': False,
            'has_context': True,
        }
        parent = [
            item for item in items if self.parent_local_id and item.local_id == self.parent_local_id
        ]
        if parent and not self.parent_external_id:
            values['parent_external_id'] = parent[0].external_id
        self.write(values)
        own = [item for item in items if item.own]
        self.env['social.crm.engagement']._recognise(self.account_id, own)
        self._announce_change()


def _as_json(item):
    """Return an item as it is kept beside a mention: what its conversation shows of it."""
    return {
        'external_id': clean(item.external_id, 1000),
        'local_id': clean(item.local_id, 500),
        'parent': clean(item.parent_external_id, 1000),
        'parent_local_id': clean(item.parent_local_id, 500),
        'name': clean_name(item.author.name, 200),
        'handle': clean_name(item.author.handle, 200),
        'text': clean(item.text, TEXT_LENGTH),
        'url': clean_url(item.url, 1000),
        'posted_at': fields.Datetime.to_string(naive(item.posted_at)),
        'own': item.own,
        'media': len(item.media),
    }
