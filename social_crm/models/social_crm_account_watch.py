from datetime import timedelta
from math import sqrt

from odoo import api, fields, models

from ..tools import each_committed

PAST = timedelta(days=14)
WEEK = timedelta(days=7)
HOUR = timedelta(hours=1)
SPIKE_AT_LEAST = 5  # negative mentions in an hour
SPIKE_DEVIATIONS = 4
SILENT_AT_LEAST = 10  # mentions that should have come by now


class SocialCrmAccount(models.Model):
    """What is unusual: many negative mentions at once, or none at all where some were due."""

    _inherit = 'social.crm.account'

    alert = fields.Selection(
        [('spike', 'Many negative mentions'), ('silent', 'Unusually silent')],
        readonly=True,
        copy=False,
        tracking=True,
        help='Automation rules can wait for this to change.',
    )
    alert_since = fields.Datetime(readonly=True, copy=False)

    @api.model
    def _cron_watch(self):
        """Compare the last hours with the two weeks before, for all connected accounts."""
        now = fields.Datetime.now()
        accounts = self.search([('state', '=', 'connected')])
        figures = accounts._figures(now)
        each_committed(
            accounts,
            lambda account: account._set_alert(
                account._alert_of(figures.get(account.id), now), now
            ),
        )
        self.env['social.crm.usage']._put_together()
        self.env['social.crm.app']._watch_budgets()

    def _figures(self, now):
        """Return what came in: dict of id -> counts by name and ``latest`` (naive UTC)."""
        self.env['social.crm.mention'].flush_model()
        self.env.cr.execute(
            """WITH latest AS (
                    SELECT account_id, max(posted_at) AS at FROM social_crm_mention
                     WHERE account_id = ANY(%(ids)s) AND posted_at > %(past)s
                       AND posted_at <= %(now)s
                  GROUP BY account_id)
               SELECT m.account_id, l.at,
                      count(*) FILTER (WHERE m.posted_at <= %(now)s),
                      count(*) FILTER (WHERE m.posted_at > l.at - %(week)s
                                         AND m.posted_at <= %(last_week)s),
                      count(*) FILTER (WHERE m.sentiment_label = 'negative'
                                         AND m.posted_at > %(hour)s),
                      count(*) FILTER (WHERE m.sentiment_label = 'negative'
                                         AND m.posted_at <= %(hour)s)
                 FROM social_crm_mention m JOIN latest l ON l.account_id = m.account_id
                WHERE m.posted_at > %(past)s AND m.posted_at <= %(now)s
             GROUP BY m.account_id, l.at""",
            {
                'ids': self.ids,
                'now': now,
                'past': now - PAST,
                'hour': now - HOUR,
                'week': WEEK,
                'last_week': now - WEEK,
            },
        )
        names = ('latest', 'all', 'due', 'negative', 'negative_before')
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in self.env.cr.fetchall()}

    def _alert_of(self, figures, now):
        """Return what is unusual, ``False`` when nothing is."""
        if not figures:
            return False
        hours = PAST / HOUR
        usual = figures['negative_before'] / (hours - 1)
        limit = usual + SPIKE_DEVIATIONS * sqrt(max(usual, 1))
        if figures['negative'] >= max(SPIKE_AT_LEAST, limit):
            return 'spike'
        # Until the last look: while we look at nothing, nobody is silent.
        silent = (min(self.last_success or now, now) - figures['latest']) / HOUR
        expected = min(figures['due'], figures['all'] / hours * silent)
        return 'silent' if expected >= SILENT_AT_LEAST else False

    def _set_alert(self, alert, now):
        """Note what is unusual from now on, and tell whoever answers for the account."""
        self.ensure_one()
        if alert == (self.alert or False):
            return
        self.write({'alert': alert, 'alert_since': alert and now})
        self.activity_unlink(['social_crm.mail_activity_type_alert'])
        if not alert:
            return
        account = self.with_context(lang=self.user_id.lang or self.env.lang)
        summaries = {
            'spike': account.env._('Many negative mentions of @%s in the last hour', self.handle),
            'silent': account.env._('Nothing has come in for @%s for long', self.handle),
        }
        notes = {
            'spike': account.env._('Look into the inbox: something may have gone wrong.'),
            'silent': account.env._(
                'More was to be expected by now, going by last week. Test the connection, and look '
                'whether the rules and the searches still fit.'
            ),
        }
        account.activity_schedule(
            'social_crm.mail_activity_type_alert',
            user_id=self.user_id.id,
            summary=summaries[alert],
            note=notes[alert],
        )
