import json
import logging
from datetime import timedelta
from functools import partial

from odoo import api, fields, models
from odoo.tools import format_date

from ..report.social_crm_campaign_report import MEASURES

_logger = logging.getLogger(__name__)

MARKETING = 'social_crm.social_crm_group_marketing'
WEEKS = 12
LEAST_WEEKS = 6  # in a graph, or its bars are too wide
MODELS = ('first', 'last', 'linear')
ENGAGEMENT = ('mention_count', 'like_count', 'comment_count', 'share_count', 'click_count')

_figure = partial(fields.Integer, compute='_compute_social_figures', groups=MARKETING)
_money = partial(
    fields.Monetary,
    compute='_compute_social_figures',
    groups=MARKETING,
    currency_field='social_currency_id',
)


class UtmCampaign(models.Model):
    """What a campaign brought on social networks, and what it cost.

    All figures come from :class:`.SocialCrmCampaignReport`, for the companies that the user has
    switched on, in the currency of the current one.
    """

    _inherit = 'utm.campaign'

    social_mention_count = fields.Integer(
        compute='_compute_social_mention_count',
        groups='social_crm.social_crm_group_user',
    )
    social_currency_id = fields.Many2one('res.currency', compute='_compute_social_currency_id')
    social_post_count = _figure('Posts')
    social_form_count = _figure('Lead Forms')
    social_like_count = _figure('Likes')
    social_comment_count = _figure('Comments')
    social_share_count = _figure('Shares')
    social_view_count = _figure('Reach')
    social_answer_count = _figure('Answers')
    social_click_count = _figure('Link Clicks')
    social_lead_count = _figure('Social Leads')
    social_won_count = _figure('Won Leads')
    social_ticket_count = _figure('Tickets')
    social_quotation_count = _figure('Quotations')
    social_revenue = _money('Won Revenue')
    social_cost = _money('Cost')
    social_roi = fields.Float(
        'Return on Investment',
        compute='_compute_social_figures',
        groups=MARKETING,
        help='(Won revenue - cost) / cost',
    )
    social_cost_per_lead = _money('Cost per Lead')
    social_cost_ids = fields.One2many(
        'social.crm.campaign.cost',
        'campaign_id',
        'Costs',
        groups=MARKETING,
    )
    social_has_sales = fields.Boolean(compute='_compute_social_currency_id')
    social_breakdown = fields.Html(
        compute='_compute_social_breakdown', sanitize=False, groups=MARKETING
    )
    social_engagement_graph = fields.Text(
        'Engagement by Week',
        compute='_compute_social_breakdown',
        groups=MARKETING,
        help='Mentions, likes, comments, shares and clicks.',
    )
    social_lead_graph = fields.Text(
        'Leads by Week', compute='_compute_social_breakdown', groups=MARKETING
    )

    social_weekly_mail = fields.Boolean(
        'Weekly Mail',
        groups=MARKETING,
        help='The responsible gets the figures every Monday.',
    )

    # === COMPUTE METHODS === #

    def _compute_social_mention_count(self):
        counts = dict(
            self.env['social.crm.mention']._read_group(
                [('campaign_id', 'in', self.ids)],
                ['campaign_id'],
                ['__count'],
            )
        )
        for campaign in self:
            campaign.social_mention_count = counts.get(campaign, 0)

    @api.depends_context('company')
    def _compute_social_currency_id(self):
        self.social_currency_id = self.env.company.currency_id
        self.social_has_sales = 'sale.order' in self.env

    @api.depends('social_cost_ids.amount', 'social_cost_ids.currency_id', 'social_cost_ids.date')
    @api.depends_context('company', 'allowed_company_ids', 'uid')
    def _compute_social_figures(self):
        names = [name for name in MEASURES if name != 'mention_count']
        found = {
            campaign: values
            for campaign, *values in self._social_report(
                ['campaign_id'], [f'{name}:sum' for name in names]
            )
        }
        for campaign in self:
            values = found.get(campaign._origin) or [0] * len(names)
            figures = dict(zip(names, values, strict=True))
            campaign.update({f'social_{name}': value for name, value in figures.items()})
            revenue, cost, leads = figures['revenue'], figures['cost'], figures['lead_count']
            campaign.social_roi = (revenue - cost) / cost if cost else 0
            campaign.social_cost_per_lead = cost / leads if leads else 0

    @api.depends_context('company', 'allowed_company_ids', 'uid', 'lang', 'tz')
    def _compute_social_breakdown(self):
        for campaign in self:
            weeks = campaign._social_by_week()
            campaign.social_breakdown = bool(campaign.ids) and self.env['ir.qweb']._render(
                'social_crm.campaign_breakdown',
                {
                    'campaign': campaign,
                    'currency': self.env.company.currency_id,
                    'networks': campaign._social_by_network(),
                    'weeks': weeks,
                    'models': campaign._social_models(),
                },
            )
            campaign.social_engagement_graph = campaign._social_graph(
                self.env._('Engagement'),
                [(row['label'], sum(row[name] for name in ENGAGEMENT)) for row in weeks],
            )
            campaign.social_lead_graph = campaign._social_graph(
                self.env._('Leads'), [(row['label'], row['lead_count']) for row in weeks]
            )

    def _social_report(self, groupby, aggregates, domain=()):
        return self.env['social.crm.campaign.report']._read_group(
            [('campaign_id', 'in', self.ids), *domain], groupby, aggregates
        )

    def _social_by_network(self):
        """Return a dictionary of measures per network, with its ``label``; the largest first."""
        labels = dict(self.env['social.crm.app']._selection_network())
        rows = self._social_report(['network'], [f'{name}:sum' for name in MEASURES])
        found = [
            {
                'label': labels.get(network, self.env._('Other')),
                **dict(zip(MEASURES, values, strict=True)),
            }
            for network, *values in rows
        ]
        return sorted(found, key=lambda row: -row['mention_count'] - row['click_count'])

    def _social_by_week(self):
        """Return a dictionary of measures per week, of the last twelve in which something was."""
        rows = self._social_report(['date:week'], [f'{name}:sum' for name in MEASURES])
        found = [
            {'label': week, **dict(zip(MEASURES, values, strict=True))}
            for week, *values in rows
            if week
        ]
        return found[-WEEKS:]

    def _social_graph(self, title, weeks):
        """Return bars as Odoo's widget of dashboards takes them; ``False`` where all are empty.

        They end with the last week that has something; empty ones in between are shown as such.

        :param weeks: pairs of a week's first moment and its number
        """
        numbers = {week.date(): number for week, number in weeks if number}
        if not numbers:
            return False
        last = max(numbers)
        first = min(*numbers, last - timedelta(weeks=LEAST_WEEKS - 1))
        days = [first + timedelta(weeks=place) for place in range((last - first).days // 7 + 1)]
        bars = [
            {
                'label': format_date(self.env, day, date_format='d MMM'),
                'value': numbers.get(day, 0),
                'type': 'past',
            }
            for day in days[-WEEKS:]
        ]
        return json.dumps([{'key': title, 'values': bars}])

    def _social_models(self):
        """Return what the campaign is worth by each model: (label, leads, revenue)."""
        names = [f'{what}_{model}:sum' for model in MODELS for what in ('lead', 'revenue')]
        [values] = self.env['social.crm.touch.report']._read_group(
            [('campaign_id', 'in', self.ids)], [], names
        )
        labels = (self.env._('First touch'), self.env._('Last touch'), self.env._('Linear'))
        numbers = [value or 0 for value in values]
        return list(zip(labels, numbers[::2], numbers[1::2], strict=True))

    @api.model
    def _cron_social_weekly_mail(self):
        """Send each campaign's figures to its responsible, as they may see them.

        One transaction: a run that is cut short has put nothing into the outbox.
        """
        template = self.env.ref('social_crm.mail_template_campaign_weekly')
        campaigns = self.search([('social_weekly_mail', '=', True)])
        for campaign in campaigns:
            user = campaign.user_id
            if not user.active or not user.has_group(MARKETING):
                continue
            seen = template.with_user(user).with_context(allowed_company_ids=user.company_ids.ids)
            try:
                with self.env.cr.savepoint():
                    # sudo: to make the mail; what it shows was computed with the user's own rights
                    seen.sudo().send_mail(campaign.id)
            except Exception:  # the boundary of the loop: one campaign must not stop the others
                _logger.exception('no weekly mail of campaign %s', campaign.id)

    # === ACTION METHODS === #

    def action_view_social_mentions(self):
        return self._social_action('social_crm.social_crm_mention_action')

    def action_view_social_posts(self):
        return self._social_action('social_crm.social_crm_post_action', 'list,kanban,calendar,form')

    def action_view_social_answers(self):
        return self._social_action('social_crm.social_crm_engagement_action')

    def action_view_social_report(self):
        return self._social_action('social_crm.social_crm_campaign_report_action')

    def action_view_social_trend(self):
        """Open the graph over time of what the campaign brought."""
        action = self._social_action('social_crm.social_crm_campaign_report_action', 'graph,pivot')
        action['context'] = {
            **action['context'],
            'graph_mode': 'line',
            'graph_groupbys': ['date:week', 'network'],
        }
        return action

    def action_view_social_rules(self):
        return self._social_action('social_crm.social_crm_rule_report_action')

    def action_view_social_touches(self):
        return self._social_action('social_crm.social_crm_touch_report_action')

    def _social_action(self, xmlid, modes=None):
        self.ensure_one()
        action = self.env['ir.actions.act_window']._for_xml_id(xmlid)
        action.update(
            domain=[('campaign_id', '=', self.id)], context={'default_campaign_id': self.id}
        )
        if modes:
            kinds = {kind: view for view, kind in action['views']}
            action['views'] = [(kinds.get(kind, False), kind) for kind in modes.split(',')]
        return action
