from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..delivery import LEASE, PER_ACCOUNT
from ..tools import claim


class SocialCrmDeliveryQueue(models.AbstractModel):
    """How rows are claimed by a worker; see the mixin's other parts."""

    _inherit = 'social.crm.delivery.mixin'

    @api.model
    def _claim(self, task, lease, limit, landed=()):
        """Lease rows for a task: *send* what is due, *check* what is unconfirmed.

        :param landed: ids of rows whose call has ended, though that is not stored yet
        """
        self._expire_leases()
        now = fields.Datetime.now()
        sending = task == 'send'
        chosen = SQL(
            '%s LIMIT %s FOR NO KEY UPDATE OF q SKIP LOCKED',
            self._claim_to_send(now, landed) if sending else self._claim_to_check(now),
            limit,
        )
        values = SQL(
            """delivery_state = %(state)s, lease = %(lease)s, lease_until = %(until)s,
               attempts = COALESCE(t.attempts, 0) + %(one)s,
               attempted_at = COALESCE(%(tried)s, t.attempted_at),
               first_attempted_at = COALESCE(t.first_attempted_at, %(tried)s)""",
            state='sending' if sending else 'unconfirmed',
            lease=lease,
            until=now + LEASE,
            one=int(sending),
            tried=SQL('%s::timestamp', now if sending else None),
        )
        return claim(self.browse(), chosen, values)

    @api.model
    def _claim_to_send(self, now, landed=()):
        """What is due, not more per account than it may have under way at once."""
        return SQL(
            """SELECT q.id FROM %(table)s q
                 JOIN (SELECT d.id,
                              row_number() OVER (PARTITION BY d.account_id ORDER BY d.due_at, d.id)
                              + (SELECT count(*) FROM %(table)s s WHERE s.delivery_state = 'sending'
                                    AND s.account_id = d.account_id
                                    AND s.id != ALL(%(landed)s::int[])) AS place
                         FROM %(table)s d
                        WHERE d.delivery_state = 'queued' AND d.due_at <= %(now)s AND %(free)s
                          AND (d.next_try IS NULL OR d.next_try <= %(now)s)) p ON p.id = q.id
                WHERE q.delivery_state = 'queued' AND p.place <= %(most)s
                ORDER BY q.due_at, q.id""",
            table=SQL.identifier(self._table),
            now=now,
            most=PER_ACCOUNT,
            landed=list(landed),
            free=self._not_held(),
        )

    @api.model
    def _not_held(self):
        """Return the condition on row ``d`` that nobody holds it back."""
        return SQL('TRUE')

    @api.model
    def _claim_to_check(self, now):
        """What is unconfirmed and nobody looks up at the moment, by accounts that can look."""
        return SQL(
            """SELECT q.id FROM %(table)s q JOIN social_crm_account a ON a.id = q.account_id
                WHERE q.delivery_state = 'unconfirmed' AND q.next_try <= %(now)s
                  AND a.state = 'connected'
                  AND (q.lease_until IS NULL OR q.lease_until < %(now)s)
                ORDER BY q.next_try""",
            table=SQL.identifier(self._table),
            now=now,
        )

    @api.model
    def _expire_leases(self):
        """Whoever sent these died: nobody knows how far it came.

        A clock that is put back makes a lease run longer, and that is left so: to look up early
        what is still being sent might send it twice.
        """
        now = fields.Datetime.now()
        interrupted = self.search(
            Domain('delivery_state', '=', 'sending') & Domain('lease_until', '<', now),
            limit=100,
        )
        interrupted.write(
            {
                'delivery_state': 'unconfirmed',
                'lease': False,
                'lease_until': False,
                'next_try': now,
                'failure_code': 'interrupted',
                'failure_reason': self.env._('The server stopped while this was being sent.'),
            }
        )

    @api.model
    def _renew_leases(self, record_ids, leases, until):
        self.env.execute_query(
            SQL(
                'UPDATE %s SET lease_until = %s WHERE id IN %s AND lease IN %s RETURNING id',
                SQL.identifier(self._table),
                until,
                tuple(record_ids),
                tuple(leases),
            )
        )

    @api.model
    def _next_due(self):
        """Return when the next row wants attention, ``None`` when none does."""
        rows = self.env.execute_query(
            SQL(
                """SELECT min(due) FROM (
                      SELECT min(GREATEST(d.due_at, d.next_try)) AS due FROM %(table)s d
                       WHERE d.delivery_state = 'queued' AND %(free)s
                       UNION ALL
                      SELECT min(lease_until) FROM %(table)s WHERE delivery_state = 'sending'
                       UNION ALL
                      SELECT min(GREATEST(d.next_try, d.lease_until)) FROM %(table)s d
                        JOIN social_crm_account a ON a.id = d.account_id AND a.state = 'connected'
                       WHERE d.delivery_state = 'unconfirmed' AND d.next_try IS NOT NULL) dues""",
                table=SQL.identifier(self._table),
                free=self._not_held(),
            )
        )
        return rows[0][0]
