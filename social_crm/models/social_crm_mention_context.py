import logging
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import timedelta

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import UserError

from ..providers import adapter_class
from ..providers.errors import NotFound, NotSupported, ProviderError
from ..tools import clean, naive

_logger = logging.getLogger(__name__)

CLAIM = 8  # conversations fetched at once, each in a thread
LEASE = timedelta(minutes=5)  # longer than a fetch can take
RETRY = timedelta(minutes=10)
TRIES = 3
STORED = 60  # posts kept of one conversation
TEXT_LENGTH = 5000


class SocialCrmMention(models.Model):
    """The rest of a mention's conversation, fetched by the loop: what stands above and below it."""

    _inherit = 'social.crm.mention'

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
        while self._fetch_contexts():
            if not self.env['ir.cron']._commit_progress(1):
                return

    @api.model
    def _fetch_contexts(self):
        """Fetch and store a round of :data:`CLAIM` conversations.

        :return: number of conversations handled
        """
        mentions = self._claim_contexts()
        requests = {}
        for mention in mentions:
            try:
                requests[mention] = mention._context_request()
            except (ProviderError, UserError) as error:
                mention._context_failed(error)
        self.env['ir.cron']._commit_progress()  # no open transaction while a network is waited for
        if requests:
            with ThreadPoolExecutor(CLAIM, thread_name_prefix='social_crm_context') as pool:
                futures = {pool.submit(request): mention for mention, request in requests.items()}
                for future in as_completed(futures):
                    futures[future]._store_context_outcome(future)
        return len(mentions)

    @api.model
    def _claim_contexts(self):
        """Lease conversations that are due; a worker that dies leaves a lease that runs out."""
        now = fields.Datetime.now()
        try:
            self.env.cr.execute(
                """UPDATE social_crm_mention
                      SET context_due = %(until)s, context_tries = COALESCE(context_tries, 0) + 1
                    WHERE id IN (
                          SELECT m.id FROM social_crm_mention m
                            JOIN social_crm_account a ON a.id = m.account_id
                           WHERE m.context_due <= %(now)s AND a.state = 'connected'
                           ORDER BY m.context_due LIMIT %(limit)s
                             FOR NO KEY UPDATE OF m SKIP LOCKED)
                RETURNING id""",
                {'until': now + LEASE, 'now': now, 'limit': CLAIM},
            )
        except psycopg2.errors.SerializationFailure:  # another worker was quicker: next time
            self.env.cr.rollback()
            return self.browse()
        ids = [row[0] for row in self.env.cr.fetchall()]
        self.env.invalidate_all()
        return self.browse(ids)

    def _context_request(self):
        """Return a function that fetches the conversation; it touches no database."""
        self.ensure_one()
        if 'thread' not in adapter_class(self.network).features:
            raise NotSupported('thread')
        provider = self.account_id._provider()
        external_id, local_id = self.external_id, self.local_id or ''
        return lambda: provider.thread(external_id, local_id)

    def _store_context_outcome(self, future):
        """Store what a fetch gave, in an own transaction; an error stays with this mention."""
        try:
            try:
                self._store_context(future.result())
            except (ProviderError, UserError) as error:
                self._context_failed(error)
            self.env['ir.cron']._commit_progress()
        except psycopg2.errors.SerializationFailure:
            self.env.cr.rollback()  # the lease runs out, then it is fetched again
        except Exception:  # the boundary of the loop: one conversation must not stop the others
            self.env.cr.rollback()
            _logger.exception('the conversation of mention %s could not be stored', self.id)

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

    def _context_failed(self, error):
        final = isinstance(error, (NotFound, NotSupported)) or self.context_tries >= TRIES
        self.write({'context_due': False if final else fields.Datetime.now() + RETRY})
        _logger.info(
            'the conversation of mention %s was not fetched: %s', self.id, type(error).__name__
        )


def _as_json(item):
    """Return an item as it is kept beside a mention: what its conversation shows of it."""
    return {
        'external_id': clean(item.external_id, 1000),
        'local_id': clean(item.local_id, 500),
        'parent': clean(item.parent_external_id, 1000),
        'parent_local_id': clean(item.parent_local_id, 500),
        'name': clean(item.author.name, 200),
        'handle': clean(item.author.handle, 200),
        'text': clean(item.text, TEXT_LENGTH),
        'url': clean(item.url, 1000),
        'posted_at': fields.Datetime.to_string(naive(item.posted_at)),
        'own': item.own,
        'media': len(item.media),
    }
