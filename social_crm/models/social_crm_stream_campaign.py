from odoo import models
from odoo.tools import SQL


class SocialCrmStream(models.Model):
    """Which campaign an inbound item belongs to: that of what it answers, else that of its rule."""

    _inherit = 'social.crm.stream'

    def _campaigns(self, items, matches):
        """Return the campaigns of inbound items: dict of external id -> id; a few queries at most.

        :param matches: dict of external id -> ids of the rules that it matched
        """
        campaigns = self.env['social.crm.rule']._rule_set(self.company_id.id).campaigns
        found = {}
        for key, rule_ids in matches.items() if campaigns else ():
            of_rule = next((campaigns[one] for one in rule_ids if one in campaigns), None)
            if of_rule:
                found[key] = of_rule
        answering = [item for item in items if item.parent_external_id or item.parent_local_id]
        if answering:
            found |= self._campaigns_of_parents(answering)
        return found

    def _campaigns_of_parents(self, items):
        """Return the campaigns of the posts and answers of ours that items reply to."""
        account = self.account_id
        rows = self.env.execute_query(
            SQL(' UNION ALL ').join(
                SQL(
                    """SELECT sent.external_id, sent.local_id, sent.account_id, sent.campaign_id
                         FROM %(table)s sent JOIN social_crm_account a ON a.id = sent.account_id
                        WHERE a.company_id = %(company)s AND a.network = %(network)s
                          AND sent.campaign_id IS NOT NULL
                          AND (sent.external_id = ANY(%(external)s)
                               OR sent.account_id = %(account)s AND sent.local_id = ANY(%(local)s))
                    """,
                    table=SQL.identifier(table),
                    company=account.company_id.id,
                    network=account.network,
                    account=account.id,
                    external=[item.parent_external_id for item in items if item.parent_external_id],
                    local=[item.parent_local_id for item in items if item.parent_local_id],
                )
                for table in ('social_crm_publication', 'social_crm_engagement')
            )
        )
        by_external = {row[0]: row[3] for row in rows}
        by_local = {row[1]: row[3] for row in rows if row[2] == account.id}
        return {
            item.external_id: campaign
            for item in items
            if (
                campaign := by_external.get(item.parent_external_id)
                or by_local.get(item.parent_local_id)
            )
        }
