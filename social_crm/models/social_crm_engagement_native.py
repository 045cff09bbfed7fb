import logging
from datetime import timedelta

import psycopg2

from odoo import api, fields, models
from odoo.fields import Domain

from ..tools import clean, clean_url, naive

_logger = logging.getLogger(__name__)

KEEP_UNLINKED = timedelta(days=14)
GC_LIMIT = 1000


class SocialCrmEngagement(models.Model):
    """Answers given in the network's own app, recognised from the account's own posts.

    An own reply whose mention is not known (yet) is kept for two weeks, so that the mention finds
    it when it comes in later; streams are read at different speeds.
    """

    _inherit = 'social.crm.engagement'

    @api.model
    def _recognise(self, account, items):
        """Keep own answers that were not sent from here, and mark what they answer as answered.

        :param account: the account that wrote them
        :param items: values of the adapters, own ones
        """
        items = {item.external_id: item for item in items if not item.deleted}
        if not items:
            return self.browse()
        known = self.search([('account_id', '=', account.id), ('external_id', 'in', list(items))])
        for external_id in known.mapped('external_id'):
            items.pop(external_id, None)
        found = self.browse()
        for item in items.values():
            try:
                with self.env.cr.savepoint():
                    found |= self._recognise_one(account, item)
            except (
                psycopg2.DataError,
                ValueError,
                TypeError,
            ) as error:  # the others must not suffer
                _logger.warning(
                    'own post %s was not understood: %s', item.external_id, type(error).__name__
                )
        return found

    @api.model
    def _recognise_one(self, account, item):
        mention = self._mention_answered_by(account, item)
        profile = mention.author_id or self._profile_written_to(account, item)
        if self._is_under_way(account, mention, profile):
            return self.browse()
        native = self.with_context(mail_create_nolog=True, mail_create_nosubscribe=True).create(
            {
                'account_id': account.id,
                'origin': 'native',
                'delivery_state': 'sent',
                'kind': item.kind if item.kind in ('comment', 'message') else 'reply',
                'text': clean(item.text, 20_000),
                'visibility': item.visibility,
                'external_id': clean(item.external_id, 1000),
                'local_id': clean(item.local_id, 500),
                'url': clean_url(item.url, 1000),
                'sent_at': naive(item.posted_at),
                'profile_id': profile.id,
                'user_id': account.user_id.id if account.kind == 'personal' else False,
                'parent_external_id': clean(item.parent_external_id, 1000),
                'parent_local_id': clean(item.parent_local_id, 500),
            }
        )
        if mention:
            native._link(mention)
        return native

    @api.model
    def _mention_answered_by(self, account, item):
        """Return the mention that an own item answers, as far as it is known."""
        Mention = self.env['social.crm.mention']
        seen = Domain('company_id', '=', account.company_id.id) & Domain(
            'network', '=', account.network
        )
        if account.kind == 'personal':
            seen &= Domain('owner_id', 'in', [False, account.user_id.id])
        else:
            seen &= Domain('owner_id', '=', False)
        parents = Domain.FALSE
        if item.parent_external_id:
            parents |= Domain('external_id', '=', item.parent_external_id)
        if item.parent_local_id:
            parents |= Domain('local_id', '=', item.parent_local_id) & Domain(
                'account_id.app_id.server',
                '=',
                account.server,
            )
        mention = Mention.search(seen & parents, limit=1) if not parents.is_false() else Mention
        if mention or item.kind != 'message':
            return mention
        return Mention.search(  # a chat without threads: it answers the last message before it
            seen
            & Domain('account_id', '=', account.id)
            & Domain('kind', '=', 'message')
            & Domain('author_id', 'in', self._profile_written_to(account, item).ids)
            & Domain('posted_at', '<=', naive(item.posted_at)),
            limit=1,
            order='posted_at desc',
        )

    @api.model
    def _profile_written_to(self, account, item):
        """Return the known profile that an own direct message is for."""
        Profile = self.env['social.crm.profile']
        if item.kind != 'message' or not item.mentions:
            return Profile
        return Profile.search(
            [
                ('company_id', '=', account.company_id.id),
                ('network', '=', account.network),
                ('handle', 'in', [*item.mentions, *(handle.lower() for handle in item.mentions)]),
            ],
            limit=1,
        )

    @api.model
    def _is_under_way(self, account, mention, profile):
        """Return whether an answer of ours is just being sent there: it may be this very one."""
        target = (
            Domain('mention_id', '=', mention.id)
            if mention
            else (Domain('mention_id', '=', False) & Domain('profile_id', '=', profile.id))
        )
        return bool(
            (mention or profile)
            and self.search_count(
                target
                & Domain('account_id', '=', account.id)
                & Domain('delivery_state', 'in', ['sending', 'unconfirmed']),
                limit=1,
            )
        )

    @api.model
    def _adopt_native(self, account, by_external, by_local):
        """Link own answers that were seen before the mentions that they answer.

        :param by_external: dict of external id -> id of the mentions that are new
        :param by_local: the same by local id
        """
        waiting = self.search(
            [
                ('account_id', '=', account.id),
                ('origin', '=', 'native'),
                ('mention_id', '=', False),
            ]
        )
        for native in waiting:  # few: they are kept for two weeks
            mention_id = by_external.get(native.parent_external_id) or by_local.get(
                native.parent_local_id
            )
            if mention_id:
                native._link(self.env['social.crm.mention'].browse(mention_id))

    def _link(self, mention):
        """This answers the mention: log it there, and mark the mention as answered."""
        self.ensure_one()
        self.write(
            {
                'mention_id': mention.id,
                'profile_id': mention.author_id.id,
                'campaign_id': mention.campaign_id.id,
            }
        )
        self._log_answer()
        mention._answered(self)
        self._announce()

    @api.autovacuum
    def _gc_unlinked(self):
        """Forget own replies to what nobody here has ever seen."""
        old = self.search(
            [
                ('origin', '=', 'native'),
                ('mention_id', '=', False),
                ('profile_id', '=', False),
                ('create_date', '<', fields.Datetime.now() - KEEP_UNLINKED),
            ],
            limit=GC_LIMIT,
        )
        old.unlink()
        return len(old), len(old) == GC_LIMIT
