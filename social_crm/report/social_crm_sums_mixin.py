from odoo import api, fields, models
from odoo.tools import SQL

#: An average, and the number of mentions that it is of.
AVERAGES = {'sentiment': 'scored_count', 'response_hours': 'answered_count'}


class SocialCrmSumsMixin(models.AbstractModel):
    """Sums of mentions: the counts, and averages that are weighed when they are put together."""

    _name = 'social.crm.sums.mixin'
    _description = 'Sums of Mentions'
    _log_access = False

    company_id = fields.Many2one('res.company', required=True, readonly=True, ondelete='cascade')
    owner_id = fields.Many2one('res.users', readonly=True, ondelete='cascade')
    account_id = fields.Many2one('social.crm.account', readonly=True, ondelete='cascade')
    network = fields.Selection(selection='_selection_network', readonly=True)
    kind = fields.Selection(selection='_selection_kind', readonly=True)
    sentiment_label = fields.Selection(
        selection='_selection_sentiment_label', string='Tone', readonly=True
    )
    mention_count = fields.Integer('Mentions', readonly=True)
    scored_count = fields.Integer('With a Sentiment', readonly=True)
    sentiment = fields.Float(
        readonly=True, digits=(4, 3), aggregator='avg', help='From -1 (negative) to 1 (positive).'
    )
    answered_count = fields.Integer('Answered', readonly=True)
    response_hours = fields.Float('Hours to First Answer', readonly=True, aggregator='avg')
    lead_count = fields.Integer('On Leads', readonly=True)
    ticket_count = fields.Integer('On Tickets', readonly=True)

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    @api.model
    def _selection_kind(self):
        return self.env['social.crm.mention']._fields['kind']._description_selection(self.env)

    @api.model
    def _selection_sentiment_label(self):
        field = self.env['social.crm.mention']._fields['sentiment_label']
        return field._description_selection(self.env)

    def _read_group_select(self, aggregate_spec, query):
        """Weigh averages by the mentions that they are of."""
        name, _colon, function = aggregate_spec.partition(':')
        if function != 'avg' or name not in AVERAGES:
            return super()._read_group_select(aggregate_spec, query)
        return SQL(
            'SUM(%(value)s * %(count)s) / NULLIF(SUM(%(count)s), 0)',
            value=self._field_to_sql(self._table, name, query),
            count=self._field_to_sql(self._table, AVERAGES[name], query),
        )
