from odoo import api, models

#: What the sums are made of: a change of one of these has the hour summed up anew.
SUMMED = frozenset(
    (
        'account_id',
        'answered_at',
        'campaign_id',
        'company_id',
        'deleted_at',
        'kind',
        'lead_id',
        'owner_id',
        'posted_at',
        'rule_ids',
        'sentiment',
        'sentiment_label',
        'ticket_id',
    )
)


class SocialCrmMention(models.Model):
    """Has the sums follow the mentions. Rows that the receiving loop inserts are marked there.

    Deleting marks nothing: what is deleted is old (retention) or a person's (erasure), and the
    numbers, which tell nothing of anybody, stay.
    """

    _inherit = 'social.crm.mention'

    @api.model_create_multi
    def create(self, vals_list):
        mentions = super().create(vals_list)
        mentions._mark_hours()
        return mentions

    def write(self, vals):
        before = self.browse()
        if not SUMMED.isdisjoint(vals):
            self._mark_hours()
            before = self
        result = super().write(vals)
        if before and not {'posted_at', 'company_id'}.isdisjoint(vals):
            before._mark_hours()
        return result

    def _mark_hours(self):
        """Have the hours of these mentions summed up; for changes past the ORM, too."""
        self.env['social.crm.hour.mark']._mark(
            (mention.company_id.id, mention.posted_at) for mention in self
        )
