from odoo import api, fields, models
from odoo.tools import SQL

WAITING = 'social_crm.hour_marks'


class SocialCrmHourMark(models.Model):
    """An hour whose sums have to be made anew.

    Whatever adds or changes a mention leaves such a mark in the same transaction. Whoever sums up
    takes marks away in the transaction that stores the sums, so a mark that is seen stands for
    changes that are seen, and a change that comes later has a mark of its own: nothing is missed
    and nothing is counted twice, through a crash at any point, with no trigger and no clock.
    """

    _name = 'social.crm.hour.mark'
    _description = 'Hour to Sum Up'
    _log_access = False

    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='cascade')
    hour = fields.Datetime(required=True, readonly=True)

    @api.model
    def _mark(self, moments):
        """Mark the hours of ``moments``: pairs of company id and naive UTC time.

        They are stored once, at the end of the transaction.
        """
        precommit = self.env.cr.precommit
        if WAITING not in precommit.data:
            precommit.data[WAITING] = set()
            precommit.add(self._store)
        precommit.data[WAITING].update(
            (company_id, moment.replace(minute=0, second=0, microsecond=0))
            for company_id, moment in moments
        )

    @api.model
    def _store(self):
        """Store the marks of this transaction."""
        hours = self.env.cr.precommit.data.get(WAITING)
        if hours:
            # Past the ORM: it is done for each page that comes in.
            self.env.cr.execute_values(
                'INSERT INTO social_crm_hour_mark (company_id, hour) VALUES %s', sorted(hours)
            )
            hours.clear()

    @api.model
    def _take(self, limit):
        """Take marks away, the oldest first; return their hours as (company id, hour) pairs."""
        self._store()
        rows = self.env.execute_query(
            SQL(
                # Chosen once, apart, as :func:`.tools.claim` does.
                """WITH chosen AS MATERIALIZED (
                       SELECT id FROM social_crm_hour_mark ORDER BY id LIMIT %s
                          FOR UPDATE SKIP LOCKED)
                   DELETE FROM social_crm_hour_mark m USING chosen WHERE m.id = chosen.id
                RETURNING company_id, hour""",
                limit,
            )
        )
        return sorted(set(rows))
