from datetime import datetime, timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ..providers import adapter_class

BACKFILL = timedelta(days=7)
MAX_SEARCHES = 30  # streams of hashtags and searches per account, each a call per look


class SocialCrmAccount(models.Model):
    """What an account listens to: its streams, how often they are looked at, and how that went."""

    _inherit = 'social.crm.account'

    poll_interval = fields.Integer(
        'Look Every (seconds)',
        default=60,
        required=True,
        help="How often to look for new items. The network's rate limit may make it less often.",
    )
    stream_ids = fields.One2many('social.crm.stream', 'account_id', readonly=True)
    searches_left_out = fields.Integer(
        readonly=True,
        help=(
            'Words and hashtags of rules that this account does not ask the network for: they '
            'are too many.'
        ),
    )
    last_success = fields.Datetime('Last Look', compute='_compute_health', compute_sudo=True)
    last_error = fields.Char(
        compute='_compute_health', compute_sudo=True, search='_search_last_error'
    )
    last_error_at = fields.Datetime(compute='_compute_health', compute_sudo=True)
    rate_limit_remaining = fields.Integer(compute='_compute_health', compute_sudo=True)
    rate_limit_reset = fields.Datetime(compute='_compute_health', compute_sudo=True)
    archived_with_company = fields.Boolean(readonly=True, copy=False)
    login_error = fields.Char(readonly=True, copy=False)
    login_error_at = fields.Datetime(readonly=True, copy=False)
    parked_count = fields.Integer(
        compute='_compute_parked_count', groups='social_crm.social_crm_group_marketing'
    )

    _poll_interval = models.Constraint(
        'CHECK (poll_interval BETWEEN 5 AND 86400)',
        'Look every 5 seconds at most, and once a day at least.',
    )

    # === COMPUTE METHODS === #

    @api.depends(
        'login_error',
        'login_error_at',
        'stream_ids.last_success',
        'stream_ids.last_error',
        'stream_ids.last_error_at',
        'stream_ids.rate_limit_remaining',
        'stream_ids.rate_limit_reset',
    )
    def _compute_health(self):
        """Sum up how the looks of all streams went.

        The loop notes it on each stream, which it has leased, and not on the account: workers and
        people who change the account do not get in each other's way.
        """
        for account in self:
            streams = account.with_context(active_test=False).stream_ids
            account.last_success = max(streams.mapped('last_success'), key=_age, default=False)
            failing = streams.filtered(lambda stream: stream.active and stream.last_error)
            failing = failing.sorted(lambda stream: _age(stream.last_error_at))[-1:]
            account.last_error = account.login_error or failing.last_error
            account.last_error_at = (
                account.login_error_at if account.login_error else failing.last_error_at
            )
            limited = streams.filtered('rate_limit_reset')
            limited = limited.sorted(lambda stream: _age(stream.last_success))[-1:]
            account.rate_limit_remaining = limited.rate_limit_remaining
            account.rate_limit_reset = limited.rate_limit_reset

    def _search_last_error(self, operator, value):
        """Find the accounts without an error; those with one are the others."""
        if operator != 'in' or set(value) != {False}:
            return NotImplemented
        # sudo: streams are the module's own
        failing = self.env['social.crm.stream'].sudo()._search([('last_error', '!=', False)])
        return [('login_error', '=', False), ('id', 'not in', failing.subselect('account_id'))]

    def _field_to_sql(self, alias, field_expr, query=None):
        """Let accounts be sorted by how the looks went, as :meth:`_compute_health` tells it."""
        if field_expr not in ('last_success', 'last_error'):
            return super()._field_to_sql(alias, field_expr, query)
        self.env['social.crm.stream'].flush_model()
        account = SQL.identifier(alias, 'id')
        if field_expr == 'last_success':
            return SQL(
                '(SELECT max(last_success) FROM social_crm_stream WHERE account_id = %s)', account
            )
        return SQL(
            """COALESCE(%s, (
                    SELECT last_error FROM social_crm_stream
                     WHERE account_id = %s AND active AND last_error IS NOT NULL
                     ORDER BY last_error_at DESC LIMIT 1))""",
            super()._field_to_sql(alias, 'login_error', query),
            account,
        )

    def _compute_parked_count(self):
        counts = dict(
            self.env['social.crm.parked.item']._read_group(
                [('account_id', 'in', self.ids), ('state', '=', 'parked')],
                ['account_id'],
                ['__count'],
            )
        )
        for account in self:
            account.parked_count = counts.get(account, 0)

    # === CRUD METHODS === #

    def write(self, vals):
        result = super().write(vals)
        if {'active', 'state'} & vals.keys():
            self._sync_streams()
        if 'poll_interval' in vals:
            # sudo: streams are the module's
            self.sudo().stream_ids.next_due = fields.Datetime.now()
        return result

    # === ACTION METHODS === #

    def action_poll(self):
        """Look for new items now."""
        self.check_access('read')
        self.sudo().stream_ids.next_due = fields.Datetime.now()  # sudo: streams are the module's
        self.env.ref('social_crm.ir_cron_receive').sudo()._trigger()  # sudo: wake the loop only
        return self._notify('info', self.env._('Looking for new items…'))

    def action_read_again(self):
        """Read the last seven days again: what is stored stays, what was missed is added."""
        self.check_access('read')
        now = fields.Datetime.now()
        self.sudo().stream_ids.write(  # sudo: streams are the module's
            {
                'cursor': False,
                'since': now - BACKFILL,
                'next_due': now,
                # A page that is on its way would put the old cursor back.
                'lease': False,
                'lease_until': False,
            }
        )
        self.env.ref('social_crm.ir_cron_receive').sudo()._trigger()  # sudo: wake the loop only
        return self._notify('info', self.env._('Reading the last seven days again…'))

    def action_view_parked(self):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(
            'social_crm.social_crm_parked_item_action'
        )
        action.update(domain=[('account_id', '=', self.id)])
        return action

    # === STREAMS === #

    @api.model
    def _follow_companies(self, companies, active):
        """Archive the accounts of companies with them, and take those back that were."""
        accounts = self.with_context(active_test=False).search(
            [
                ('company_id', 'in', companies.ids),
                ('active', '!=', active),
                ('archived_with_company', 'in', [True] if active else [True, False]),
            ]
        )
        accounts.write({'active': active, 'archived_with_company': not active})

    def _sync_streams(self):
        """Make the streams match what the network offers and what the rules ask for.

        A stream that nobody wants any more is switched off and keeps its cursor. The first rules
        come first where they ask for more searches than a network can be asked for.
        """
        now = fields.Datetime.now()
        accounts = self.sudo()  # sudo: streams are the module's own
        Stream = accounts.env['social.crm.stream'].with_context(active_test=False)
        known = Stream.search([('account_id', 'in', self.ids)]).grouped('account_id')
        stop, resume, missing = [], [], []
        for account in accounts:
            wanted = dict.fromkeys(account._wanted_streams())
            for stream in known.get(account, ()):
                key = stream.kind, stream.query
                if stream.active != (key in wanted):
                    (stop if stream.active else resume).append(stream.id)
                wanted.pop(key, None)
            missing += [(account.id, kind, query) for kind, query in wanted]
        Stream.browse(stop).write({'active': False})
        Stream.browse(resume).write(
            {'active': True, 'next_due': now, 'error_count': 0, 'last_error': False}
        )
        Stream.create(
            [
                {
                    'account_id': account_id,
                    'kind': kind,
                    'query': query,
                    'next_due': now,
                    'since': now - BACKFILL,
                }
                for account_id, kind, query in missing
            ]
        )

    def _wanted_streams(self):
        """Return the streams to read, as (kind, query); note how many searches are too many."""
        if not self.active or self.state != 'connected':
            return []
        asked = self.env['social.crm.rule']._wanted_searches(self)
        left_out = max(len(asked) - MAX_SEARCHES, 0)
        if self.searches_left_out != left_out:
            self.searches_left_out = left_out
        return self._default_streams(adapter_class(self.network)) + asked[:MAX_SEARCHES]

    def _default_streams(self, adapter):
        """Return the streams that need no rule: those that the login permits to be read."""
        permitted = set((self.wanted_capabilities or '').split()).difference(
            self._missing_capabilities()
        )
        needed = adapter.stream_capabilities
        return [
            (kind, '')
            for kind in adapter.default_streams()
            if kind not in needed or needed[kind] in permitted
        ]


def _age(moment):
    """Let times be compared with those that never came."""
    return moment or datetime.min
