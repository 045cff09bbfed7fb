from urllib.parse import urlencode, urlsplit

from odoo import api, fields, models


class LinkTracker(models.Model):
    """A tracked link of a publication or an answer: ``utm_content`` names which one it was."""

    _inherit = 'link.tracker'

    social_publication_id = fields.Many2one(
        'social.crm.publication', readonly=True, index='btree_not_null', ondelete='set null'
    )
    social_engagement_id = fields.Many2one(
        'social.crm.engagement', readonly=True, index='btree_not_null', ondelete='set null'
    )

    @api.depends('label', 'social_publication_id', 'social_engagement_id')
    def _compute_redirected_url(self):
        result = super()._compute_redirected_url()
        for tracker in self:
            url = tracker.redirected_url
            tagged = url and 'utm_medium=' in urlsplit(url).query
            if tagged and (tracker.social_publication_id or tracker.social_engagement_id):
                parts = urlsplit(url)
                query = f'{parts.query}&{urlencode({"utm_content": tracker.label})}'
                tracker.redirected_url = parts._replace(query=query).geturl()
        return result


class LinkTrackerClick(models.Model):
    _inherit = 'link.tracker.click'

    social_publication_id = fields.Many2one(
        related='link_id.social_publication_id', store=True, index='btree_not_null'
    )
    social_engagement_id = fields.Many2one(
        related='link_id.social_engagement_id', store=True, index='btree_not_null'
    )
