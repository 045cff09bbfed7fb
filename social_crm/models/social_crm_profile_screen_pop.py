from datetime import timedelta

from markupsafe import Markup

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import format_date, format_datetime

from ..tools import excerpt

INTERACTIONS = 10
WORK = 5  # open leads, tickets, quotations shown of each kind
WEEKS = 8
WORDS = 140  # characters shown of what was written
CARD_FIELDS = [
    'network',
    'handle',
    'name',
    'url',
    'headline',
    'bio',
    'location',
    'followers',
    'verified',
    'bot',
    'blocked',
    'links',
    'partner_id',
]


class SocialCrmProfile(models.Model):
    """The screen pop: who somebody is, what was said both ways, what is open, and in what mood.

    Everything is searched with the user's own rights, in at most ten queries.
    """

    _inherit = 'social.crm.profile'

    @api.readonly
    def get_screen_pop(self):
        """Return the card of the person these profiles belong to, as HTML.

        :return: empty where the user may not see social profiles, or the profiles are gone
        """
        if not self.has_access('read'):
            return Markup('')
        # With the other profiles of the same contact, the given ones first.
        people = self.search_fetch(
            Domain('id', 'in', self.ids) | Domain('partner_id.social_profile_ids', 'in', self.ids),
            CARD_FIELDS,
        ).sorted(lambda profile: profile not in self)
        return people._render_screen_pop() if people else Markup('')

    def _render_screen_pop(self):
        partners = self.env['res.partner']
        if partners.has_access('read'):
            partners = partners.search_fetch(
                [('id', 'in', self.partner_id.ids)], ['complete_name', 'commercial_partner_id']
            )
        profile, partner = self[:1], partners[:1]
        return self.env['ir.qweb']._render(
            'social_crm.screen_pop',
            {
                **profile._card_values(partner, partners._social_customers()),
                'others': self[1:],
                'labels': dict(self._selection_network()),
                'interactions': self._interactions(),
                'work': self._open_work(partners),
                'moods': self._moods(),
                'when': lambda moment: format_datetime(self.env, moment, dt_format='short'),
                'day': lambda date: format_date(self.env, date, date_format='d MMM'),
                'undescribed': self.env._('Picture without a description'),
                'excerpt': lambda text: excerpt(text, WORDS),
            },
        )

    # === WHAT WAS SAID === #

    def _interactions(self):
        """Return the latest mentions and answers, newest first: list of (moment, record)."""
        said = []
        Mention, Engagement = self.env['social.crm.mention'], self.env['social.crm.engagement']
        if Mention.has_access('read'):
            mentions = Mention.search_fetch(
                [('author_id', 'in', self.ids)], ['text', 'posted_at', 'media'], limit=INTERACTIONS
            )
            said += [(mention.posted_at, mention) for mention in mentions]
        if Engagement.has_access('read'):
            answers = Engagement.search_fetch(
                [('profile_id', 'in', self.ids), ('delivery_state', '=', 'sent')],
                ['text', 'sent_at', 'create_date'],
                order='sent_at desc',
                limit=INTERACTIONS,
            )
            said += [(answer.sent_at or answer.create_date, answer) for answer in answers]
        return sorted(said, key=lambda one: one[0], reverse=True)[:INTERACTIONS]

    # === WHAT IS OPEN === #

    def _open_work(self, partners):
        """Return what is open with this person, and may be seen: list of (title, records)."""
        found = []
        for model, title, names, domain in self._open_work_kinds():
            if model not in self.env or not self.env[model].has_access('read'):
                continue
            of_person = Domain('partner_id', 'in', partners.ids)
            if 'social_profile_id' in self.env[model]._fields:
                of_person |= Domain('social_profile_id', 'in', self.ids)
            records = self.env[model].search_fetch(
                of_person & Domain(domain), ['name', 'create_date', *names], limit=WORK
            )
            if records:
                found.append((title, records))
        return found

    def _open_work_kinds(self):
        """Return what counts as open work: list of (model, title, further fields, domain)."""
        return [
            ('crm.lead', self.env._('Leads'), (), [('won_status', '=', 'pending')]),
            ('helpdesk.ticket', self.env._('Tickets'), ('number',), [('closed', '=', False)]),
            (
                'sale.order',
                self.env._('Quotations'),
                ('amount_total', 'currency_id'),
                [('state', 'in', ['draft', 'sent'])],
            ),
        ]

    # === IN WHAT MOOD === #

    def _moods(self):
        """Return the average sentiment per week: list of (first day, average or None, number)."""
        Mention = self.env['social.crm.mention']
        if not Mention.has_access('read'):
            return []
        today = fields.Date.context_today(self)
        first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
        groups = Mention._read_group(
            [
                ('author_id', 'in', self.ids),
                ('posted_at', '>=', fields.Datetime.to_datetime(first)),
                ('sentiment_label', '!=', 'unknown'),
            ],
            ['posted_at:day'],
            ['sentiment:sum', '__count'],
        )
        weeks = {first + timedelta(weeks=number): [0.0, 0] for number in range(WEEKS)}
        for moment, total, number in groups:
            week = weeks.get(moment.date() - timedelta(days=moment.weekday()))
            if week:
                week[0] += total
                week[1] += number
        if not any(number for _total, number in weeks.values()):
            return []
        return [
            (day, total / number if number else None, number)
            for day, (total, number) in weeks.items()
        ]
