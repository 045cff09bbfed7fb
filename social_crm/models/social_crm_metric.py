from odoo import api, fields, models

COUNTERS = ('likes', 'comments', 'shares', 'views', 'clicks')


class SocialCrmMetric(models.Model):
    """Counters of a publication at a time.

    A counter is a running total; its *gain* is what was added since the look before. Gains add up
    over publications and days, totals do not.
    """

    _name = 'social.crm.metric'
    _description = 'Figures of a Publication'
    _order = 'measured_at desc, id desc'
    _rec_name = 'publication_id'

    publication_id = fields.Many2one(
        'social.crm.publication',
        required=True,
        readonly=True,
        index=True,
        ondelete='cascade',
    )
    measured_at = fields.Datetime('At', required=True, readonly=True, index=True)
    post_id = fields.Many2one(related='publication_id.post_id', store=True, index=True)
    account_id = fields.Many2one(related='publication_id.account_id', store=True, index=True)
    network = fields.Selection(related='publication_id.network', store=True)
    company_id = fields.Many2one(related='publication_id.company_id', store=True, index=True)
    campaign_id = fields.Many2one(
        related='publication_id.campaign_id',
        store=True,
        index='btree_not_null',
    )
    likes = fields.Integer('Likes so far', readonly=True, aggregator='max')
    comments = fields.Integer('Comments so far', readonly=True, aggregator='max')
    shares = fields.Integer('Shares so far', readonly=True, aggregator='max')
    views = fields.Integer('Views so far', readonly=True, aggregator='max')
    clicks = fields.Integer('Clicks so far', readonly=True, aggregator='max')
    likes_gain = fields.Integer('Likes', readonly=True)
    comments_gain = fields.Integer('Comments', readonly=True)
    shares_gain = fields.Integer('Shares', readonly=True)
    views_gain = fields.Integer('Views', readonly=True)
    clicks_gain = fields.Integer('Clicks', readonly=True)

    @api.model
    def _record(self, publication, metrics, now):
        """Store what the network told; what it does not tell stays as it was."""
        values, latest = {'publication_id': publication.id, 'measured_at': now}, {}
        for name in COUNTERS:
            told, before = getattr(metrics, name), publication[name]
            total = before if told is None else told
            latest[name] = values[name] = total
            values[f'{name}_gain'] = total - before
        publication.write({**latest, 'measured_at': now})
        return self.create(values)
