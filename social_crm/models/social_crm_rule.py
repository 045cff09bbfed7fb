from typing import NamedTuple

from odoo import api, fields, models, tools
from odoo.exceptions import ValidationError

from .. import listening
from ..listening import Criteria

NOT_SEARCHED = 1000  # how dear a term is that no network is asked for, against 1
QUERY_FIELDS = ('keywords', 'hashtags', 'handles', 'expression', 'excluded')
SENTIMENTS = [
    ('positive', 'Positive'),
    ('not_negative', 'Not negative'),
    ('negative', 'Negative'),
]
CUSTOMERS = [('only', 'Known customers only'), ('except', 'No known customers')]
CRITERIA_FIELDS = (
    'account_ids',
    'kind_mention',
    'kind_reply',
    'kind_comment',
    'kind_message',
    'kind_search',
    'language_codes',
    'sentiment',
    'country_ids',
    'area',
    'min_followers',
    'verified_only',
    'customer',
    'match_blocked',
    'excluded_profile_ids',
)


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
    """A listening rule: which mentions count, and what is to be done with them."""

    _name = 'social.crm.rule'
    _description = 'Listening Rule'
    _inherit = ['mail.thread']
    _order = 'sequence, id'
    _check_company_auto = True

    name = fields.Char(required=True, translate=True, tracking=True)
    sequence = fields.Integer(default=10)
    active = fields.Boolean(default=True, tracking=True)
    paused = fields.Boolean(
        tracking=True, help='Matches are recorded, and nothing is done with them.'
    )
    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )

    keywords = fields.Text(
        help=(
            'One word or phrase per line; any of them counts. A star stands for any ending: '
            'deliver*'
        )
    )
    hashtags = fields.Char(help='Separated by spaces; any of them counts.')
    handles = fields.Char('Mentioned Handles', help='Separated by spaces; any of them counts.')
    expression = fields.Char(
        help='Words and "phrases", #tags and @handles, combined with AND, OR, NOT and parentheses.',
        tracking=True,
    )
    excluded = fields.Text(
        'Excluded Words',
        help='One word or phrase per line; a mention with one of them does not count.',
    )

    account_ids = fields.Many2many(
        'social.crm.account',
        'social_crm_rule_account_rel',
        string='Accounts',
        check_company=True,
        # A rule whose accounts are archived does not become one for all.
        context={'active_test': False},
        help='Empty: all accounts.',
    )
    kind_mention = fields.Boolean('Mentions', default=True)
    kind_reply = fields.Boolean('Replies', default=True)
    kind_comment = fields.Boolean('Comments', default=True)
    kind_message = fields.Boolean('Direct Messages', default=True)
    kind_search = fields.Boolean('Search Hits', default=True)
    language_codes = fields.Char(
        'Languages', help='Two-letter codes separated by spaces, such as: en de fr. Empty: all.'
    )
    sentiment = fields.Selection(SENTIMENTS)
    country_ids = fields.Many2many('res.country', string='Countries')
    area = fields.Char(
        help='Part of the location that authors give, such as: Graz. Several separated by commas.'
    )
    min_followers = fields.Integer('Followers at Least')
    verified_only = fields.Boolean('Verified Authors Only')
    customer = fields.Selection(CUSTOMERS)
    match_blocked = fields.Boolean('Blocked Authors Too')
    excluded_profile_ids = fields.Many2many(
        'social.crm.profile',
        'social_crm_rule_excluded_profile_rel',
        string='Excluded Authors',
        check_company=True,
    )

    action_ids = fields.One2many('social.crm.rule.action', 'rule_id', 'Actions', copy=True)
    campaign_id = fields.Many2one(
        'utm.campaign', help='Mentions and leads of this rule belong to it.'
    )
    words = fields.Char('Listens For', compute='_compute_words')
    action_summary = fields.Char('Then', compute='_compute_action_summary')

    test_now = fields.Boolean('Test on Stored Mentions', store=False)
    test_result = fields.Html(compute='_compute_test_result', sanitize=False)

    # === COMPUTE METHODS === #

    @api.depends(*QUERY_FIELDS)
    def _compute_words(self):
        for rule in self:
            words = [
                *lines(rule.keywords),
                *(rule.hashtags or '').split(),
                *(rule.handles or '').split(),
                rule.expression,
            ]
            rule.words = ', '.join(filter(None, words))

    @api.depends('action_ids.kind')
    def _compute_action_summary(self):
        labels = dict(
            self.env['social.crm.rule.action']._fields['kind']._description_selection(self.env)
        )
        for rule in self:
            rule.action_summary = ', '.join(
                labels[action.kind] for action in rule.action_ids if action.kind
            )

    @api.depends('test_now', *QUERY_FIELDS, *CRITERIA_FIELDS)
    def _compute_test_result(self):
        for rule in self:
            rule.test_result = rule._test() if rule.test_now else False

    # === CONSTRAINT METHODS === #

    @api.constrains(
        'name', *QUERY_FIELDS
    )  # the name is always given, so a new rule is always checked
    def _check_query(self):
        for rule in self:
            try:
                rule._query()
            except listening.QueryError as error:
                raise ValidationError(rule._explain_query_error(error)) from error

    @api.constrains('language_codes')
    def _check_language_codes(self):
        for rule in self:
            for code in (rule.language_codes or '').split():
                if not listening.normalise_language(code):
                    raise ValidationError(
                        self.env._(
                            '"%s" is no language code. Use two letters, such as: en de fr.', code
                        )
                    )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        rules = super().create(vals_list)
        rules._check_accounts()
        rules._changed()
        return rules

    def write(self, vals):
        result = super().write(vals)
        if 'company_id' in vals:
            self.check_access('write')  # there, too: it would read what that company gets
        if 'account_ids' in vals:
            self._check_accounts()
        self._changed()
        return result

    def unlink(self):
        self.env.registry.clear_cache()
        companies = self.company_id
        result = super().unlink()
        self._accounts_of(companies)._sync_streams()
        return result

    def _check_accounts(self):
        """Refuse personal accounts of others: they would be made to search for what this says.

        :raise AccessError: for those
        """
        # sudo: others' accounts would not be found by the user's own rights
        self.sudo().account_ids.with_env(self.env).check_access('read')

    def _changed(self):
        self.env.registry.clear_cache()
        self._accounts_of(self.company_id)._sync_streams()

    @api.model
    def _accounts_of(self, companies):
        # sudo: the streams of all accounts follow the rules, personal ones of others included
        return (
            self.env['social.crm.account']
            .sudo()
            .search(
                [
                    ('company_id', 'in', companies.ids),
                    ('state', '=', 'connected'),
                ]
            )
        )

    # === ACTION METHODS === #

    def action_pause(self):
        self.paused = True

    def action_resume(self):
        self.paused = False

    # === MATCHING === #

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
        rules = self.sudo().search(
            [('company_id', '=', company_id)]
        )  # sudo: matching knows no user
        queries = {}
        for rule in rules:
            try:
                queries[rule.id] = rule._query()
            except (
                listening.QueryError
            ):  # only by a write past the ORM: this rule rests, the others work
                continue
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
    def _wanted_streams(self, account, adapter):
        """Return what a network is asked to filter itself for an account: list of (kind, query).

        A rule for all accounts is asked by the brand accounts alone; in the order of the rules.
        """
        # sudo: streams serve all rules of the company
        rules = self.sudo().search(
            [('company_id', '=', account.company_id.id), ('kind_search', '=', True)]
        )

        wanted = {}
        for rule in rules:
            if account not in rule.account_ids and (rule.account_ids or account.kind == 'personal'):
                continue
            try:
                wanted.update(dict.fromkeys(_searches(rule._query(), adapter)))
            except listening.QueryError:  # refused by the constraint, which runs later
                continue
        return list(wanted)


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


def lines(text):
    """Return the entries of a field that has one per line, or separated by commas."""
    return [line.strip() for line in (text or '').replace(',', '\n').splitlines() if line.strip()]
