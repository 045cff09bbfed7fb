"""A spring of two companies in two currencies: every figure was worked out by hand."""

import json
from datetime import datetime

from odoo import Command
from odoo.tests import new_test_user, tagged

from .common import SocialCrmCase

#: Who wrote what when, to which account: (person, account, kind, when, campaign). Accounts: e is
#: the Euro company's, d the Dollar company's.
TOUCHES = (
    ('ada', 'e', 'mention', '2026-03-01 10:00', 'spring'),
    ('ada', 'e', 'message', '2026-03-03 10:00', 'autumn'),
    ('ada', 'e', 'reply', '2026-03-05 10:00', 'spring'),
    ('ada', 'e', 'mention', '2026-04-01 10:00', 'autumn'),  # after the lead was won: no touch
    ('bob', 'e', 'lead_form', '2026-03-02 09:00', 'spring'),
    ('bob', 'e', 'message', '2026-03-04 09:00', None),
    ('cyd', 'd', 'search', '2026-03-02 12:00', 'autumn'),
    ('cyd', 'd', 'mention', '2026-03-06 12:00', 'spring'),
    ('dee', 'e', 'mention', '2026-03-07 08:00', 'spring'),  # a lead that is still open
)
#: Leads: person (None: from the website), company, campaign, expected revenue in its currency, won.
#: A dollar is 0.90 euros until 14 March, 0.80 from then on.
LEADS = (
    ('ada', 'e', 'spring', 1000.00, '2026-03-10 16:00'),
    ('bob', 'e', 'spring', 100.01, '2026-03-11 16:00'),
    ('cyd', 'd', 'autumn', 250.00, '2026-03-20 16:00'),
    ('dee', 'e', 'spring', 777.00, None),
    (None, 'e', 'autumn', 60.00, '2026-03-12 16:00'),
)
#: Costs: company, campaign, amount, currency, day, network.
COSTS = (
    ('e', 'spring', 200.00, 'EUR', '2026-03-01', 'mastodon'),
    ('e', 'spring', 100.00, 'USD', '2026-03-01', None),  # 90.00 EUR
    ('d', 'autumn', 50.00, 'USD', '2026-03-15', None),  # 40.00 EUR
)
#: Clicks on the link of the one post (spring), and on that in a direct message to ada (autumn).
CLICKS, CLICKS_IN_MESSAGE = 4, '2026-03-06 10:00'

#: What it comes to, seen with both companies switched on, in euros.
FIGURES = {
    'spring': {
        'social_post_count': 1,
        'social_mention_count': 5,
        'social_form_count': 1,
        'social_like_count': 7,
        'social_comment_count': 2,
        'social_share_count': 1,
        'social_view_count': 0,
        'social_answer_count': 0,
        'social_click_count': 4,
        'social_lead_count': 3,
        'social_won_count': 2,
        'social_ticket_count': 1,
        'social_revenue': 1100.01,  # 1000.00 + 100.01
        'social_cost': 290.00,  # 200.00 + 90.00
        'social_roi': (1100.01 - 290.00) / 290.00,
        'social_cost_per_lead': 96.67,  # 290.00 / 3
    },
    'autumn': {
        'social_post_count': 0,
        'social_mention_count': 3,
        'social_form_count': 0,
        'social_like_count': 0,
        'social_comment_count': 0,
        'social_share_count': 0,
        'social_view_count': 0,
        'social_answer_count': 1,
        'social_click_count': 1,
        'social_lead_count': 2,
        'social_won_count': 2,
        'social_ticket_count': 0,
        'social_revenue': 260.00,  # 250.00 USD at 0.80 + 60.00
        'social_cost': 40.00,
        'social_roi': 5.5,  # (260.00 - 40.00) / 40.00
        'social_cost_per_lead': 20.00,
    },
}
#: ada's touches are spring, autumn, spring, click (autumn): 1000.00 / 4 each. bob's are spring and
#: none: 50.01 (the odd cent goes to the earlier one) and 50.00. cyd's are autumn, spring: 100.00
#: each. dee's is spring. The website's one is autumn. (Leads, euros) by first, last, linear:
MODELS = {
    'spring': ((3, 1000.00 + 100.01), (2, 200.00), (2.5, 250 + 250 + 50.01 + 100)),
    'autumn': ((2, 200.00 + 60.00), (2, 1000.00 + 60.00), (2.0, 250 + 250 + 100 + 60)),
    None: ((0, 0), (1, 100.01), (0.5, 50.00)),
}
#: Rules and the touches that they matched, by place. Of spring's four mentions in euros the tea
#: rule matched 1 + 1 + 1/2, the cup rule 1/2, and one nobody: of 200.00 + 90.00 euros these get
#: 125.00 + 56.25, 25.00 + 11.25, 50.00 + 22.50. ada's lead and revenue are tea's, bob's are shared
#: (the odd cent to the first), dee's nobody's. What autumn cost is for one mention without a rule;
#: cyd's lead and that of the website have no rule either.
RULES = {'tea': (0, 2, 4), 'cup': (4, 1)}
BY_RULE = {
    # matches, leads, won revenue, cost, cost per lead
    ('spring', 'tea'): (3, 1.5, 1050.01, 181.25, 120.83),
    ('spring', 'cup'): (1, 0.5, 50.00, 36.25, 72.50),
    ('spring', None): (0, 1, 0, 72.50, 72.50),
    ('autumn', 'cup'): (1, 0, 0, 0, 0),
    ('autumn', None): (0, 2, 260.00, 40.00, 20.00),
}
DOLLARS = {
    # The Dollar company alone, in dollars: cyd's lead, and its own cost.
    'spring': {'social_mention_count': 1, 'social_lead_count': 0, 'social_revenue': 0.00},
    'autumn': {
        'social_mention_count': 1,
        'social_lead_count': 1,
        'social_revenue': 250.00,
        'social_cost': 50.00,
        'social_roi': 4.0,
        'social_cost_per_lead': 50.00,
    },
}


def moment(text):
    return datetime.strptime(text, '%Y-%m-%d %H:%M')


@tagged('post_install', '-at_install')
class TestAttribution(SocialCrmCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.currencies = {
            code: cls.env['res.currency']
            .with_context(active_test=False)
            .search([('name', '=', code)])
            for code in ('EUR', 'USD')
        }
        for currency in cls.currencies.values():
            currency.active = True
            currency.rate_ids.unlink()
        cls.companies = {
            key: cls.env['res.company'].create(
                {
                    'name': name,
                    'currency_id': cls.currencies[code].id,
                }
            )
            for key, name, code in (('e', 'Euro Inc', 'EUR'), ('d', 'Dollar Inc', 'USD'))
        }
        cls.rate('USD', '2026-01-01', 1 / 0.9)
        cls.rate('USD', '2026-03-15', 1 / 0.8)
        cls.accounts = {
            key: cls.connect(cls.make_app(company), cls.env.user, username=key, number=key * 3)
            for key, company in cls.companies.items()
        }
        cls.analyst = new_test_user(
            cls.env,
            'sc_analyst',
            'social_crm.social_crm_group_marketing',
            company_id=cls.companies['e'].id,
            company_ids=[Command.set([company.id for company in cls.companies.values()])],
        )
        cls.campaigns = {
            name: cls.env['utm.campaign'].create({'title': name}) for name in ('spring', 'autumn')
        }
        cls.people, cls.rules = {}, {}
        cls.tell()
        while cls.env['social.crm.mention.hourly']._sum_up():
            pass

    @classmethod
    def rate(cls, code, day, rate):
        cls.env['res.currency.rate'].create(
            {
                'currency_id': cls.currencies[code].id,
                'name': day,
                'rate': rate,
                'company_id': cls.companies['e'].id,
            }
        )

    @classmethod
    def tell(cls):
        """Have all of it happen."""
        cls.mentions_of = {}
        for place, (person, key, kind, when, campaign) in enumerate(TOUCHES):
            mention = cls.env['social.crm.mention'].create(
                {
                    'kind': kind,
                    'network': 'mastodon',
                    'external_id': f'item-{place}',
                    'account_id': cls.accounts[key].id,
                    'company_id': cls.companies[key].id,
                    'author_id': cls.person(person, key).id,
                    'text': f'{person} {place}',
                    'posted_at': moment(when),
                    'sentiment_label': 'neutral',
                    'campaign_id': campaign and cls.campaigns[campaign].id,
                }
            )
            cls.mentions_of.setdefault(person, mention)
        touched = cls.env['social.crm.mention'].search([], order='id')[-len(TOUCHES) :]
        for name, places in RULES.items():
            cls.rules[name] = cls.env['social.crm.rule'].create(
                {'name': name, 'keywords': name, 'company_id': cls.companies['e'].id}
            )
            for place in places:
                touched[place].rule_ids += cls.rules[name]
        social = cls.env.ref('social_crm.utm_medium_social')
        won = cls.env['crm.stage'].search([('is_won', '=', True)], limit=1)
        for person, key, campaign, revenue, when in LEADS:
            lead = cls.env['crm.lead'].create(
                {
                    'name': person or 'Website',
                    'type': 'opportunity',
                    'expected_revenue': revenue,
                    'company_id': cls.companies[key].id,
                    'campaign_id': cls.campaigns[campaign].id,
                    'user_id': False,
                    'team_id': False,
                    'medium_id': social.id,
                    'source_id': cls.accounts[key]._utm_source().id,
                    'social_profile_id': person and cls.person(person, key).id,
                    'social_mention_id': person and cls.mentions_of[person].id,
                }
            )
            if when:
                lead.write({'stage_id': won.id, 'probability': 100})
                cls.env.flush_all()
                cls.env.cr.execute(
                    'UPDATE crm_lead SET date_closed = %s, create_date = %s WHERE id = %s',
                    [moment(when), moment('2026-03-08 00:00'), lead.id],
                )
        for key, campaign, amount, code, day, network in COSTS:
            cls.env['social.crm.campaign.cost'].create(
                {
                    'name': 'Ads',
                    'amount': amount,
                    'date': day,
                    'network': network,
                    'company_id': cls.companies[key].id,
                    'campaign_id': cls.campaigns[campaign].id,
                    'currency_id': cls.currencies[code].id,
                }
            )
        cls.env['helpdesk.ticket'].create(
            {
                'name': 'Broken',
                'description': 'Broken',
                'company_id': cls.companies['e'].id,
                'social_mention_id': cls.mentions_of['dee'].id,
            }
        )
        cls.publish()
        cls.write_to_ada()
        cls.env.invalidate_all()

    @classmethod
    def person(cls, name, key):
        if name not in cls.people:
            cls.people[name] = cls.env['social.crm.profile'].create(
                {
                    'network': 'mastodon',
                    'external_id': name,
                    'handle': name,
                    'name': name,
                    'company_id': cls.companies[key].id,
                }
            )
        return cls.people[name]

    @classmethod
    def publish(cls):
        post = cls.env['social.crm.post'].create(
            {
                'text': 'https://shop.example/tea',
                'account_ids': cls.accounts['e'].ids,
                'campaign_id': cls.campaigns['spring'].id,
                'company_id': cls.companies['e'].id,
            }
        )
        row = post.publication_ids
        row._track_links()
        row.write({'delivery_state': 'sent', 'sent_at': moment('2026-03-01 08:00')})
        cls.env['social.crm.metric'].create(
            [
                {
                    'publication_id': row.id,
                    'measured_at': moment(f'2026-03-0{day} 08:00'),
                    'likes_gain': likes,
                    'comments_gain': 1,
                    'shares_gain': shares,
                }
                for day, likes, shares in ((2, 4, 0), (3, 3, 1))
            ]
        )
        cls.click(row, 'social_publication_id', CLICKS, '2026-03-02 20:00')

    @classmethod
    def write_to_ada(cls):
        engagement = cls.env['social.crm.engagement'].create(
            {
                'kind': 'message',
                'account_id': cls.accounts['e'].id,
                'text': 'https://shop.example/x',
                'profile_id': cls.people['ada'].id,
                'campaign_id': cls.campaigns['autumn'].id,
            }
        )
        engagement._track_links()
        engagement.write({'delivery_state': 'sent', 'sent_at': moment('2026-03-06 09:00')})
        cls.click(engagement, 'social_engagement_id', 1, CLICKS_IN_MESSAGE)

    @classmethod
    def click(cls, delivery, field, number, when):
        tracker = cls.env['link.tracker'].search([(field, '=', delivery.id)])
        clicks = cls.env['link.tracker.click'].create([{'link_id': tracker.id}] * number)
        cls.env.flush_all()
        cls.env.cr.execute(
            'UPDATE link_tracker_click SET create_date = %s WHERE id = ANY(%s)',
            [moment(when), clicks.ids],
        )

    # --- as the analyst sees it ------------------------------------------------------------------

    def seen(self, model, *keys):
        companies = [self.companies[key].id for key in keys]
        return self.env[model].with_user(self.analyst).with_context(allowed_company_ids=companies)

    def assert_figures(self, table, *keys):
        for name, expected in table.items():
            campaign = self.seen('utm.campaign', *keys).browse(self.campaigns[name].id)
            for field, value in expected.items():
                with self.subTest(campaign=name, figure=field):
                    self.assertAlmostEqual(campaign[field], value, 2)

    def test_every_figure_in_euros(self):
        self.assert_figures(FIGURES, 'e', 'd')

    def test_the_dollar_company_in_dollars(self):
        self.assert_figures(DOLLARS, 'd')

    def test_all_three_models_to_the_cent(self):
        Touch = self.seen('social.crm.touch.report', 'e', 'd')
        for name, models in MODELS.items():
            campaign = name and self.campaigns[name].id
            for model, (leads, revenue) in zip(('first', 'last', 'linear'), models, strict=True):
                names = [f'lead_{model}:sum', f'revenue_{model}:sum']
                [values] = Touch._read_group([('campaign_id', '=', campaign)], [], names)
                with self.subTest(campaign=name, model=model):
                    self.assertEqual(round(values[0], 4), leads)
                    self.assertEqual(round(values[1], 2), round(revenue, 2))

    def test_shares_add_up_exactly(self):
        """Three ways of sharing: each lead's shares are one lead, and its whole revenue."""
        Touch = self.seen('social.crm.touch.report', 'e', 'd')
        totals = {
            lead.name: tuple(round(value, 4) for value in values)
            for lead, *values in Touch.sudo()._read_group(
                [],
                ['lead_id'],
                [
                    f'{what}_{model}:sum'
                    for what in ('lead', 'revenue')
                    for model in ('first', 'last', 'linear')
                ],
            )
        }
        self.assertEqual(
            totals,
            {
                'ada': (1, 1, 1, 1000, 1000, 1000),
                'bob': (1, 1, 1, 100.01, 100.01, 100.01),
                'cyd': (1, 1, 1, 200, 200, 200),
                'dee': (1, 1, 1, 0, 0, 0),
                'Website': (1, 1, 1, 60, 60, 60),
            },
        )

    def test_seven_touches_of_a_hundred(self):
        """100.00 by seven: two touches get a cent more; a lead by seven: ten-thousandths alike."""
        dee = self.mentions_of['dee']
        for day in range(1, 7):
            dee.copy({'external_id': f'more-{day}', 'posted_at': moment(f'2026-03-1{day} 08:00')})
        lead = self.env['crm.lead'].search([('name', '=', 'dee')])
        lead.write(
            {
                'expected_revenue': 100,
                'probability': 100,
                'stage_id': self.env['crm.stage'].search([('is_won', '=', True)], limit=1).id,
            }
        )
        self.env.flush_all()
        touches = self.seen('social.crm.touch.report', 'e').search(
            [('lead_id', '=', lead.id)], order='place'
        )
        self.assertEqual(
            touches.mapped('revenue_linear'), [14.29, 14.29, 14.29, 14.29, 14.28, 14.28, 14.28]
        )
        self.assertEqual(
            touches.mapped('lead_linear'),
            [0.1429, 0.1429, 0.1429, 0.1429, 0.1428, 0.1428, 0.1428],
        )

    def test_by_network_and_over_time(self):
        campaign = self.seen('utm.campaign', 'e', 'd').browse(self.campaigns['spring'].id)
        networks = {row['label']: row for row in campaign._social_by_network()}
        self.assertEqual(
            {name: (row['lead_count'], row['cost']) for name, row in networks.items()},
            {'Mastodon': (3, 200.0), 'Other': (0, 90.0)},
        )
        weeks = {f'{row["label"]:%m-%d}': row for row in campaign._social_by_week()}
        self.assertEqual(weeks['03-01']['click_count'], 4)
        self.assertEqual(weeks['03-08']['revenue'], 1100.01)
        # 5 mentions, 7 likes, 2 comments, 1 share and 4 clicks, all in the first week of March.
        [graph] = json.loads(campaign.social_engagement_graph)
        self.assertEqual(
            [(bar['label'], bar['value']) for bar in graph['values']],
            [
                ('25 Jan', 0),
                ('1 Feb', 0),
                ('8 Feb', 0),
                ('15 Feb', 0),
                ('22 Feb', 0),
                ('1 Mar', 19),
            ],
        )
        [graph] = json.loads(campaign.social_lead_graph)
        # dee's lead is of this week; the week of the two others is too long ago.
        self.assertEqual([bar['value'] for bar in graph['values']], [0] * 11 + [1])
        self.assertFalse(self.env['utm.campaign'].create({'title': 'New'}).social_lead_graph)
        html = str(campaign.social_breakdown)
        self.assertIn('1,100.01', html)
        self.assertIn('Last touch', html)

    def by_rule(self, *groupby, domain=()):
        names = [f'{name}:sum' for name in ('match_count', 'lead_count', 'revenue', 'cost')]
        rows = self.seen('social.crm.rule.report', 'e', 'd')._read_group(
            [('campaign_id', '!=', False), *domain], groupby, [*names, 'cost_per_lead:avg']
        )
        return [
            (*row[:-5], *(value if value is None else round(value, 2) for value in row[-5:]))
            for row in rows
        ]

    def test_cost_per_lead_of_each_rule(self):
        found = {
            (campaign.title, rule.name or None): tuple(values)
            for campaign, rule, *values in self.by_rule('campaign_id', 'rule_id')
        }
        self.assertEqual(found, BY_RULE)
        # All of it adds up to what the campaigns brought and cost.
        self.assertEqual(self.by_rule(), [(5, 5, 1360.01, 330.00, 66.00)])
        march = [('date', '>=', '2026-03-01'), ('date', '<', '2026-04-01')]
        self.assertEqual(self.by_rule(domain=march), [(5, 4, 1360.01, 330.00, 82.50)])

    def test_costs_of_a_month_stay_when_the_campaign_goes_on(self):
        march = [('date', '<', '2026-04-01'), ('campaign_id', '=', self.campaigns['spring'].id)]
        before = self.by_rule('rule_id', domain=march)
        cost = {'name': 'Ads', 'company_id': self.companies['e'].id, 'amount': 60}
        cost |= {'campaign_id': self.campaigns['spring'].id}
        cost |= {'currency_id': self.currencies['EUR'].id}
        self.env['social.crm.campaign.cost'].create(
            [{**cost, 'date': day} for day in ('2026-04-30', '2026-05-01')]
        )
        for day in (1, 30):
            self.mentions_of['dee'].copy(
                {
                    'external_id': f'april-{day}',
                    'posted_at': moment(f'2026-04-{day:02} 23:59'),
                    'rule_ids': [Command.set(self.rules['cup'].ids)],
                }
            )
        while self.env['social.crm.mention.hourly']._sum_up():
            pass
        self.assertEqual(self.by_rule('rule_id', domain=march), before)
        costs = {
            (rule.name or None, f'{month:%m}'): cost
            for rule, month, *_counts, cost, _ratio in self.by_rule(
                'rule_id', 'date:month', domain=[('date', '>=', '2026-04-01'), march[1]]
            )
            if cost
        }
        # April's is for its two mentions, both of cup; May has none: 2.5, 2.5 and 1 of six in all.
        self.assertEqual(
            costs,
            {
                ('cup', '04'): 60.00,
                ('tea', '05'): 25.00,
                ('cup', '05'): 25.00,
                (None, '05'): 10.00,
            },
        )

    def test_what_was_spent_for_a_rule_is_its_own(self):
        cost = {'name': 'Ads', 'date': '2026-03-02', 'company_id': self.companies['e'].id}
        cost['currency_id'] = self.currencies['EUR'].id
        self.env['social.crm.campaign.cost'].create(
            [
                {
                    **cost,
                    'campaign_id': self.campaigns['spring'].id,
                    'amount': 10,
                    'rule_id': self.rules['cup'].id,
                },
                # Three cents for four mentions, and what was spent where nothing came of it.
                {**cost, 'campaign_id': self.campaigns['spring'].id, 'amount': 0.03},
                {
                    **cost,
                    'campaign_id': self.campaigns['spring'].id,
                    'amount': 7,
                    'network': 'bluesky',
                },
            ]
        )
        self.env.flush_all()
        found = {
            (rule.name or None, network): cost
            for rule, network, *_counts, cost, _ratio in self.by_rule(
                'rule_id', 'network', domain=[('campaign_id', '=', self.campaigns['spring'].id)]
            )
        }
        # Rounded up to each: 0.02 (of 0.01875), 0.02 (of 0.0225), 0.03; so tea has 2 cents.
        self.assertEqual(
            found,
            {
                ('tea', 'mastodon'): 181.27,
                ('cup', 'mastodon'): 36.25,
                ('cup', False): 10.00,
                (None, 'mastodon'): 72.51,
                (None, 'bluesky'): 7.00,
            },
        )

    def test_revenue_is_for_marketing_only(self):
        campaign = self.campaigns['spring']
        self.assertFalse(self.env['social.crm.rule.report'].with_user(self.user).has_access('read'))
        self.assertFalse(
            self.env['social.crm.touch.report'].with_user(self.user).has_access('read')
        )
        self.assertNotIn('social_revenue', campaign.with_user(self.user).fields_get())
        self.assertNotIn('social_cost_ids', campaign.with_user(self.user).fields_get())
