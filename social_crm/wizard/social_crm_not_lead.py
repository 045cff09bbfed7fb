from odoo import api, fields, models

from .. import listening
from ..models.social_crm_rule import lines

LEARN_FROM = 300  # latest matches of the rule that suggestions are learnt from


class SocialCrmNotLead(models.TransientModel):
    """Closes a lead that is none, and asks what its rule should not find any more."""

    _name = 'social.crm.not.lead'
    _description = 'Not a Lead'

    lead_id = fields.Many2one('crm.lead', required=True, readonly=True)
    mention_id = fields.Many2one('social.crm.mention', compute='_compute_mention_id')
    author_id = fields.Many2one(related='mention_id.author_id', related_sudo=False)
    text = fields.Text(related='mention_id.text', related_sudo=False)
    rule_ids = fields.Many2many('social.crm.rule', string='Rules', compute='_compute_rule_ids')
    rule_id = fields.Many2one(
        'social.crm.rule',
        compute='_compute_rule_id',
        store=True,
        readonly=False,
        precompute=True,
        domain="[('id', 'in', rule_ids)]",
    )
    term_ids = fields.One2many(
        'social.crm.not.lead.term',
        'wizard_id',
        'Suggestions',
        compute='_compute_term_ids',
        store=True,
        readonly=False,
        precompute=True,
    )
    words = fields.Char('Other Words', help='Separated by commas.')
    exclude_author = fields.Boolean('Exclude the Author')
    kept_lost = fields.Integer('Good Matches Lost', compute='_compute_effect')
    hits_lost = fields.Integer('Matches Lost', compute='_compute_effect')
    read_count = fields.Integer('Matches Looked At', compute='_compute_effect')

    # === COMPUTE METHODS === #

    @api.depends('lead_id')
    def _compute_mention_id(self):
        """Show what it was made of as far as the user may read that."""
        for wizard in self:
            wizard.mention_id = wizard.lead_id.social_mention_id._filtered_access('read')

    @api.depends('lead_id')
    def _compute_rule_ids(self):
        for wizard in self:
            wizard.lead_id.check_access('read')
            # sudo: which rules made the lead; only their names show
            rules = wizard.lead_id.sudo().social_mention_ids.rule_ids
            makers = rules.filtered(lambda rule: 'lead' in rule.action_ids.mapped('kind'))
            wizard.rule_ids = makers or rules

    @api.depends('rule_ids')
    def _compute_rule_id(self):
        for wizard in self:
            wizard.rule_id = wizard.rule_ids._origin[:1]

    @api.depends('rule_id')
    def _compute_term_ids(self):
        for wizard in self:
            found = []
            if wizard.rule_id:
                good, bad = wizard._learn_from()
                found = listening.suggest_exclusions(
                    wizard.text or '', wizard.rule_id.sudo()._query(), bad, good
                )
            wizard.term_ids = [
                fields.Command.clear(),
                *(
                    fields.Command.create(
                        {'term': one.term, 'unwanted': one.unwanted, 'wanted': one.wanted}
                    )
                    for one in found
                ),
            ]

    @api.depends('term_ids.chosen', 'words', 'rule_id')
    def _compute_effect(self):
        for wizard in self:
            good, bad = wizard._learn_from() if wizard.rule_id else ([], [])
            words = wizard._chosen_words()
            wizard.kept_lost = len(listening.holding(good, words))
            wizard.hits_lost = wizard.kept_lost + len(listening.holding(bad, words))
            wizard.read_count = len(good) + len(bad)

    def _learn_from(self):
        """Return the texts that the rule rightly and wrongly found: (good, bad)."""
        # With the user's own rights: numbers of words tell what stands in a text.
        mentions = self.env['social.crm.mention'].search_fetch(
            [('rule_ids', 'in', self.rule_id._origin.ids)], ['text', 'lead_id'], limit=LEARN_FROM
        )
        # sudo: which of those that may be read were wrong
        false_hits = (
            self.env['social.crm.false.hit']
            .sudo()
            .search([('rule_id', 'in', self.rule_id._origin.ids)])
        )
        wrong = false_hits.mention_id | false_hits.lead_id.social_mention_ids
        wrong |= self.lead_id.sudo().social_mention_ids
        return (
            [mention.text or '' for mention in mentions - wrong],
            [mention.text or '' for mention in mentions & wrong],
        )

    def _chosen_words(self):
        chosen = self.term_ids.filtered('chosen').mapped('term')
        return list(dict.fromkeys([*chosen, *lines(self.words)]))

    # === ACTION METHODS === #

    def action_apply(self):
        """Close the lead as lost, and let the rule exclude what was chosen."""
        self.ensure_one()
        self.lead_id._close_as_no_lead(self.rule_id, self._chosen_words(), self.exclude_author)
        return {'type': 'ir.actions.client', 'tag': 'soft_reload'}


class SocialCrmNotLeadTerm(models.TransientModel):
    """A word that tells false hits from good matches."""

    _name = 'social.crm.not.lead.term'
    _description = 'Suggested Exclusion'

    wizard_id = fields.Many2one('social.crm.not.lead', ondelete='cascade', index=True)
    chosen = fields.Boolean('Exclude')
    term = fields.Char('Word', readonly=True)
    unwanted = fields.Integer('In False Hits', readonly=True)
    wanted = fields.Integer('In Good Matches', readonly=True)
