import logging
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime, timedelta

import psycopg2.errors

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

from ..calls import Call
from ..picture import BadPicture, fetch_picture
from ..providers.errors import NotSupported, ProviderError, RateLimited
from ..tools import CLOCK_SLACK, aware, claim

_logger = logging.getLogger(__name__)

CLAIM = 8  # profiles looked up at once, each in a thread
LEASE = timedelta(minutes=5)  # longer than a look-up can take
FRESH = timedelta(hours=24)  # so long a profile is not asked for again
EVER = datetime.min
STORE_TRIES = 4


class SocialCrmProfile(models.Model):
    """Keeps profiles up to date: looked up on the network by a connected account, in the loop.

    A profile is *leased* for a look-up, as streams are: no transaction is open while a network is
    waited for, and a worker that died leaves a lease that runs out.
    """

    _inherit = 'social.crm.profile'

    stale = fields.Boolean(
        'Gone from the Network',
        readonly=True,
        copy=False,
        help='The network does not know this profile any more. What it told last is kept.',
    )
    stale_since = fields.Datetime('Gone Since', readonly=True, copy=False)
    looked_up_at = fields.Datetime('Last Looked Up', readonly=True, copy=False)
    refresh_due = fields.Datetime(readonly=True, copy=False)
    refresh_lease = fields.Datetime(readonly=True, copy=False)
    refresh_tries = fields.Integer(readonly=True, copy=False)
    refresh_error = fields.Char('Not Looked Up', readonly=True, copy=False)
    picture_due = fields.Boolean(readonly=True, copy=False)
    picture_url = fields.Char(
        readonly=True, copy=False, help='Where the stored picture was fetched from.'
    )

    _refresh_due = models.Index('(refresh_due) WHERE refresh_due IS NOT NULL')
    _picture_due = models.Index('(id) WHERE picture_due')

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        """Have those looked up on the network that a person entered."""
        profiles = super().create(vals_list)
        if not self.env.su:
            profiles.filtered(lambda profile: not profile.external_id)._want_refresh()
        return profiles

    # === ACTION METHODS === #

    def action_refresh(self):
        """Have the profiles looked up on their network, unless that was done in the last day."""
        self.check_access('read')
        wanted = self._want_refresh()
        message = (
            self.env._('Looking up on the network; what has changed shows in a moment.')
            if wanted
            else self.env._('Looked up in the last 24 hours: that is up to date.')
        )
        return {
            'type': 'ir.actions.client',
            'tag': 'display_notification',
            'params': {'type': 'info', 'message': message},
        }

    def _want_refresh(self):
        """Put those of these profiles into the queue that may be looked up; return them."""
        limit = fields.Datetime.now() - FRESH
        wanted = self.filtered(
            lambda profile: (
                not profile.external_id
                or max(profile.looked_up_at or EVER, profile.refreshed_at or EVER) < limit
            )
        )
        # sudo: a mark for the loop
        wanted.sudo().write(
            {'refresh_due': fields.Datetime.now(), 'refresh_tries': 0, 'refresh_error': False}
        )
        if wanted:
            self._wake_lookups()
        return wanted

    @api.model
    def _wake_lookups(self):
        """Have the loop run soon, once per transaction."""
        marks = self.env.cr.precommit.data
        if not marks.get('social_crm_lookups'):
            marks['social_crm_lookups'] = True
            # sudo: wake the loop only
            self.env.ref('social_crm.ir_cron_profile').sudo()._trigger()

    # === LOOP === #

    @api.model
    def _cron_profile_nightly(self):
        """Put into the queue who matters and was not looked up for a day; match what was left.

        Who matters: contacts, and who has written to us within a month. Who is gone from the
        network is looked for once a week.
        """
        now = fields.Datetime.now()
        self.env.cr.execute(
            """UPDATE social_crm_profile p SET refresh_due = %(now)s, refresh_tries = 0
                WHERE p.external_id IS NOT NULL AND p.refresh_due IS NULL
                  AND p.blocked IS NOT TRUE
                  AND GREATEST(p.looked_up_at, p.refreshed_at)
                      < CASE WHEN p.stale THEN %(week)s ELSE %(day)s END
                  AND (p.partner_id IS NOT NULL
                       OR EXISTS (SELECT FROM social_crm_mention m
                                   WHERE m.author_id = p.id AND m.posted_at > %(month)s))""",
            {
                'now': now,
                'day': now - FRESH,
                'week': now - timedelta(days=7),
                'month': now - timedelta(days=30),
            },
        )
        self.env.ref('social_crm.ir_cron_profile')._trigger()
        self.env.ref('social_crm.ir_cron_match')._trigger()

    @api.model
    def _cron_refresh_profiles(self):
        """Look up the profiles and pictures that are wanted."""
        while self._refresh_batch():
            if not self.env['ir.cron']._commit_progress(1):
                return

    @api.model
    def _refresh_batch(self):
        """Look up and store a round of :data:`CLAIM` profiles.

        :return: number of profiles handled
        """
        profiles = self._claim_refresh()
        requests = {}
        accounts = {}
        for profile in profiles:
            try:
                requests[profile] = profile._refresh_request(accounts)
            except (ProviderError, UserError) as error:
                profile._refresh_failed(error)
        self.env['ir.cron']._commit_progress()  # no open transaction while a network is waited for
        if requests:
            with ThreadPoolExecutor(CLAIM, thread_name_prefix='social_crm_profile') as pool:
                futures = {pool.submit(request): profile for profile, request in requests.items()}
                for future in as_completed(futures):
                    profile = futures[future]
                    profile._store_refresh_outcome(future, accounts.get(profile))
            self.env['social.crm.usage']._add(
                'profile',
                [
                    (accounts[profile], call.provider, None)
                    for profile, call in requests.items()
                    if call.provider
                ],
            )
            self.env['ir.cron']._commit_progress()
        return len(profiles)

    @api.model
    def _claim_refresh(self):
        """Lease profiles that are due; those of contacts without consent are not looked up.

        A lease that runs longer than any can was taken before the clock was put back.
        """
        now = fields.Datetime.now()
        chosen = SQL(
            """SELECT p.id FROM social_crm_profile p LEFT JOIN res_partner r ON r.id = p.partner_id
                WHERE (p.refresh_due <= %(now)s OR p.picture_due)
                  AND (p.refresh_lease IS NULL OR p.refresh_lease < %(now)s
                       OR p.refresh_lease > %(longest)s)
                  AND r.social_no_enrichment IS NOT TRUE
                ORDER BY p.refresh_due NULLS LAST, p.id DESC LIMIT %(limit)s
                  FOR NO KEY UPDATE OF p SKIP LOCKED""",
            now=now,
            longest=now + LEASE + CLOCK_SLACK,
            limit=CLAIM,
        )
        try:
            return claim(self.browse(), chosen, SQL('refresh_lease = %s', now + LEASE))
        except psycopg2.errors.SerializationFailure:  # another worker was quicker: next time
            self.env.cr.rollback()
            return self.browse()

    def _refresh_request(self, accounts):
        """Return a call that looks the profile up, its picture too; it touches no database.

        :param dict accounts: gets the account that is used
        """
        self.ensure_one()
        http = self.env['social.crm.app']._http()
        handle, known_url = self.handle, self.picture_url if self.image_1920 else ''
        if not self.refresh_due or self.refresh_due > fields.Datetime.now():
            url = self.avatar_url
            return Call(None, lambda: (None, _picture(http, url, known_url), None))
        account = self._lookup_account()
        accounts[self] = account
        provider = account._reader()

        def request():
            found = provider.profile(handle)
            picture = _picture(http, found.avatar_url, known_url)
            return found, picture, provider.http.last_rate_limit

        return Call(provider, request)

    def _lookup_account(self):
        """Return the connected account to look this profile up by: a brand's before a person's.

        :raise RateLimited: when all have to wait
        :raise NotSupported: when there is none that may
        """
        accounts = (
            self.env['social.crm.account']
            .search(
                [
                    ('company_id', '=', self.company_id.id),
                    ('network', '=', self.network),
                    ('state', '=', 'connected'),
                ]
            )
            .sorted(lambda account: (account.kind != 'brand', account.id))
        )
        if (
            not accounts
            or 'profile' not in self.env['social.crm.app']._adapter_class(self.network).capabilities
        ):
            raise NotSupported('no connected account of this network can look profiles up')
        now = fields.Datetime.now()
        ready = accounts.filtered(
            lambda account: not account.lookups_paused_until or account.lookups_paused_until <= now
        )
        if not ready:
            raise RateLimited(
                'the calls of this hour are used up',
                until=aware(min(accounts.mapped('lookups_paused_until'))),
            )
        # The app of some may have used up its budget.
        return (ready.filtered(lambda account: not account.reading_stopped) or ready)[0]

    def _store_refresh_outcome(self, future, account):
        """Store what a look-up gave, in an own transaction; an error stays with this profile."""
        for _attempt in range(STORE_TRIES):
            try:
                if self._lock():
                    self._store_look_up(future, account)
                self.env['ir.cron']._commit_progress()
                return
            except psycopg2.errors.SerializationFailure:
                self.env.cr.rollback()
            except Exception:  # the boundary of the loop: one profile must not stop the others
                self.env.cr.rollback()
                _logger.exception('profile %s could not be brought up to date', self.id)
                return
        _logger.info('profile %s is written to by others: it is looked up again later', self.id)

    def _lock(self):
        """Lock this profile before it is read: matching and answering write to it as well.

        :return: whether it is still there
        """
        self.env.cr.execute(
            'SELECT 1 FROM social_crm_profile WHERE id = %s FOR NO KEY UPDATE',
            [self.id],
            log_exceptions=False,  # a conflict is expected, and tried again
        )
        found = bool(self.env.cr.fetchone())
        self.invalidate_recordset()
        return found

    def _store_look_up(self, future, account):
        try:
            found, picture, rate_limit = future.result()
        except (ProviderError, UserError) as error:
            self._refresh_failed(error, account)
            return
        if account:
            account._spare_calls(rate_limit)
        self._store_refresh(found, picture)


def _picture(http, url, known_url):
    """Return a picture as PNG, ``b''`` where there is none or it is known, ``None`` if refused."""
    if not url or url == known_url:
        return b''
    try:
        return fetch_picture(http, url)
    except BadPicture as error:
        _logger.info('a picture was refused: %s', error)
        return None
