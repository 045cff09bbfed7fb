from typing import NamedTuple

from odoo import api, models, tools

from .. import listening
from ..listening import Criteria
from ..providers import adapter_class
from .social_crm_rule import lines

NOT_SEARCHED = 1000  # how dear a term is that no network is asked for, against 1


class RuleSet(NamedTuple):
    """The rules of a company, ready to be asked about mentions; immutable, kept in a cache."""

    index: listening.RuleIndex
    criteria: dict
    acting: frozenset
    campaigns: dict  # rule id -> campaign id

    def match(self, text: listening.Text, facts):
        """Return the ids of the rules that a mention satisfies; ``facts`` gives its Facts."""
        found = self.index.match(text)
        if not found:
            return []
        known = facts()
        return [rule_id for rule_id in found if self.criteria[rule_id].accept(known)]


class SocialCrmRule(models.Model):
    """What rules ask of mentions and of networks, in the words of :mod:`..listening`."""

    _inherit = 'social.crm.rule'

    def _query(self) -> listening.Query:
        """Return the words of this rule as one query.

        :raise QueryError: when the expression is wrong or nothing positive is asked for
        """
        self.ensure_one()
        return listening.for_rule(
            keywords=lines(self.keywords),
            hashtags=(self.hashtags or '').replace(',', ' ').split(),
            handles=(self.handles or '').replace(',', ' ').split(),
            expression=self.expression or '',
            exclusions=lines(self.excluded),
        )

    def _criteria(self) -> Criteria:
        """Return the filters of this rule."""
        self.ensure_one()
        kinds = {
            'mention': self.kind_mention,
            'reply': self.kind_reply,
            'comment': self.kind_comment,
            'message': self.kind_message,
            'search': self.kind_search,
        }
        sentiments = {
            'positive': {'positive'},
            'negative': {'negative'},
            'not_negative': {'positive', 'neutral', 'unknown'},
        }
        areas = [*(self.area or '').split(','), *self.country_ids.mapped('name')]
        return Criteria(
            accounts=frozenset(self.account_ids._origin.ids),
            kinds=frozenset()
            if all(kinds.values())
            else frozenset(k for k, on in kinds.items() if on),
            languages=frozenset(
                map(listening.normalise_language, (self.language_codes or '').split())
            ),
            sentiments=frozenset(sentiments.get(self.sentiment, ())),
            countries=frozenset(self.country_ids.mapped('code')),
            areas=tuple(area.strip().casefold() for area in areas if area.strip()),
            min_followers=self.min_followers,
            verified_only=self.verified_only,
            customer=self.customer or '',
            blocked=self.match_blocked,
            excluded_authors=frozenset(self.excluded_profile_ids._origin.ids),
        )

    @api.model
    @tools.ormcache('company_id')
    def _rule_set(self, company_id) -> RuleSet:
        """Return all rules of a company, compiled: any number costs one look-up per word."""
        # sudo: matching knows no user
        rules = self.sudo().search([('company_id', '=', company_id)])
        queries = {}
        for rule in rules:
            try:
                queries[rule.id] = rule._query()
            except listening.QueryError:
                continue  # only by a write past the ORM: this rule rests, the others work
        return RuleSet(
            index=listening.RuleIndex(queries),
            criteria={rule.id: rule._criteria() for rule in rules if rule.id in queries},
            acting=frozenset(rules.filtered(lambda rule: rule.action_ids and not rule.paused).ids),
            campaigns={
                rule.id: rule.campaign_id.id
                for rule in rules
                if rule.campaign_id and not rule.paused
            },
        )

    @api.model
    def _wanted_searches(self, account):
        """Return what a network is asked to filter itself for an account: list of (kind, query).

        A rule for all accounts is asked by the brand accounts alone; in the order of the rules.
        """
        wanted = {}
        for account_ids, searches in self._searches(account.company_id.id, account.network):
            if account.id in account_ids or not account_ids and account.kind == 'brand':
                wanted.update(dict.fromkeys(searches))
        return list(wanted)

    @api.model
    @tools.ormcache('company_id', 'network')
    def _searches(self, company_id, network):
        """Return which accounts each rule is for (none: all), and what it asks a network for."""
        adapter = adapter_class(network)
        # sudo: streams serve all rules of the company
        rules = self.sudo().search([('company_id', '=', company_id), ('kind_search', '=', True)])
        found = []
        for rule in rules:
            try:
                searches = _searches(rule._query(), adapter)
            except listening.QueryError:  # refused by the constraint, which runs later
                continue
            if searches:
                found.append((frozenset(rule.account_ids.ids), tuple(searches)))
        return tuple(found)


def _searches(query, adapter):
    """Return what finds all that a query matches, as far as a network can search: (kind, query)s.

    One expression where the network takes it: what is searched for may be charged by the hit.
    """

    def search(term):
        if term[0] == '#' and 'hashtags' in adapter.capabilities:
            return 'hashtag', term[1:].lower()
        if term[0] not in '#@' and 'search' in adapter.capabilities:
            return 'search', term
        return None

    if adapter.longest_search:
        found, terms = query.expressions(adapter.longest_search)
    else:
        found, terms = [], query.fewest_terms(lambda term: 1 if search(term) else NOT_SEARCHED)
    searches = [('search', expression) for expression in found]
    return searches + [one for term in terms if (one := search(term))]
