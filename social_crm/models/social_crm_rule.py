from odoo import api, fields, models
from odoo.exceptions import ValidationError

from .. import listening

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


def lines(text):
    """Return the entries of a field that has one per line, or separated by commas."""
    return [line.strip() for line in (text or '').replace(',', '\n').splitlines() if line.strip()]
