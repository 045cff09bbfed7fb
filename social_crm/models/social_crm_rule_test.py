from datetime import timedelta

from markupsafe import Markup

from odoo import fields, models
from odoo.fields import Domain

from .. import listening

TEST_PERIOD = timedelta(days=7)
TEST_LIMIT = 5000  # mentions read by one test; more tell nothing new and keep the person waiting
SAMPLE_SIZE = 20


class SocialCrmRule(models.Model):
    """Trying a rule on stored mentions before it is saved; nothing fires."""

    _inherit = 'social.crm.rule'

    def _test(self):
        """Return as HTML what this rule would have matched in seven days; nothing fires."""
        self.ensure_one()
        try:
            query = self._query()
        except listening.QueryError as error:
            return Markup(
                '<div class="alert alert-danger" role="alert">%s</div>'
            ) % self._explain_query_error(error)
        mentions = self._stored_mentions()
        hits = self._filter(mentions, query)
        return self.env['ir.qweb']._render(
            'social_crm.rule_test_result',
            {
                'read': len(mentions),
                'limited': len(mentions) == TEST_LIMIT,
                'hits': hits,
                'days': self._volume_per_day(hits),
                'change': self._compare(mentions, hits),
                'samples': [
                    (mention, self._highlight(mention, query)) for mention in hits[:SAMPLE_SIZE]
                ],
            },
        )

    def _stored_mentions(self):
        """Return the recent mentions of the accounts of this rule, newest first."""
        domain = Domain('company_id', '=', self.company_id.id) & Domain(
            'posted_at',
            '>=',
            fields.Datetime.now() - TEST_PERIOD,
        )
        if self.account_ids:
            domain &= Domain('account_id', 'in', self.account_ids._origin.ids)
        return self.env['social.crm.mention'].search(
            domain, limit=TEST_LIMIT, order='posted_at desc, id desc'
        )

    def _filter(self, mentions, query):
        criteria, facts = self._criteria(), mentions._facts()
        return mentions.filtered(
            lambda mention: (
                criteria.accept(facts[mention.id]) and query.matches(mention._listening_text())
            ),
        )

    def _volume_per_day(self, hits):
        """Return (date, number, per cent of the busiest day) for each of the seven days."""
        today = fields.Date.context_today(self)
        days = [today - timedelta(days=back) for back in reversed(range(TEST_PERIOD.days))]
        groups = hits.grouped(
            lambda mention: fields.Datetime.context_timestamp(self, mention.posted_at).date()
        )
        numbers = [len(groups.get(day, ())) for day in days]
        highest = max(numbers, default=0) or 1
        return [
            (day, number, 100 * number // highest)
            for day, number in zip(days, numbers, strict=True)
        ]

    def _compare(self, mentions, hits):
        """Return (gained, lost) against the rule as it is stored; ``None`` for a new rule."""
        stored = self._origin
        if not stored:
            return None
        try:
            before = stored._filter(mentions, stored._query())
        except listening.QueryError:
            return None
        return len(hits - before), len(before - hits)

    def _highlight(self, mention, query):
        """Return a mention's text with the matching words marked."""
        text, parts, position = mention.text or '', [], 0
        for span in query.found(mention._listening_text()):
            parts += [
                text[position : span.start],
                Markup('<mark>%s</mark>') % text[span.start : span.end],
            ]
            position = span.end
        return Markup('').join([*parts, text[position:]])
