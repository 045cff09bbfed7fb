from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

from .. import listening
from .social_crm_rule import lines


class SocialCrmFalseHit(models.Model):
    """What a rule found and should not have: what was excluded because of it, to be undone."""

    _name = 'social.crm.false.hit'
    _description = 'False Hit of a Listening Rule'
    _order = 'id desc'
    _check_company_auto = True

    rule_id = fields.Many2one(
        'social.crm.rule', required=True, readonly=True, ondelete='cascade', index=True
    )
    company_id = fields.Many2one(related='rule_id.company_id', store=True, index=True)
    lead_id = fields.Many2one('crm.lead', readonly=True, index='btree_not_null', ondelete='cascade')
    mention_id = fields.Many2one(
        'social.crm.mention', readonly=True, index='btree_not_null', ondelete='set null'
    )
    author_id = fields.Many2one('social.crm.profile', readonly=True, ondelete='set null')
    user_id = fields.Many2one('res.users', 'Said By', readonly=True, ondelete='set null')
    words = fields.Text('Words Excluded', readonly=True, help='One word or phrase per line.')
    author_excluded = fields.Boolean(readonly=True)
    active = fields.Boolean(
        default=True, readonly=True, help='Off: somebody has said that it was none after all.'
    )

    @api.depends('rule_id', 'lead_id')
    def _compute_display_name(self):
        for hit in self:
            hit.display_name = f'{hit.rule_id.name}: {hit.lead_id.display_name or ""}'

    # === BUSINESS METHODS === #

    def _feed_rule(self):
        """Let the rule exclude what it should not find, and say so in its chatter.

        :raise UserError: when a word would silence what the rule listens for
        """
        self.ensure_one()
        rule, words = self.rule_id, lines(self.words)
        query = rule._query()
        for word in words:
            if not listening.is_excludable(word, query):
                raise UserError(
                    self.env._(
                        'The rule "%(rule)s" listens for "%(word)s": it would find nothing any '
                        'more without it. Exclude another word, or the author.',
                        rule=rule.name,
                        word=word,
                    )
                )
        known = {word.casefold() for word in lines(rule.excluded)}
        new = [word for word in words if word.casefold() not in known]
        # Only what is new here is taken back by an undo.
        self.words = '\n'.join(new)
        author_is_new = self.author_excluded and self.author_id not in rule.excluded_profile_ids
        self.author_excluded = author_is_new
        values = {}
        if new:
            values['excluded'] = '\n'.join([*lines(rule.excluded), *new])
        if author_is_new:
            values['excluded_profile_ids'] = [fields.Command.link(self.author_id.id)]
        if values:
            rule.write(values)
        self._log(self.env._('Not a lead: %s', self.lead_id.display_name))

    def _undo(self):
        """Take back what was excluded because of these."""
        for hit in self.filtered('active'):
            rule, words = hit.rule_id, {word.casefold() for word in lines(hit.words)}
            values = {}
            if words:
                kept = [word for word in lines(rule.excluded) if word.casefold() not in words]
                values['excluded'] = '\n'.join(kept) or False
            if hit.author_excluded:
                values['excluded_profile_ids'] = [fields.Command.unlink(hit.author_id.id)]
            if values:
                rule.write(values)
            hit.active = False
            hit._log(hit.env._('A lead after all: %s', hit.lead_id.display_name))

    def _log(self, sentence):
        """Note in the rule's chatter, in the user's name, what was said and what it excludes."""
        excluded = lines(self.words)
        if self.author_excluded:
            excluded.append(self.env._('the author'))
        author = self.author_id
        body = Markup('<p>%s %s %s</p>') % (
            sentence,
            # By this link the note is found again when its author is erased.
            author._get_html_link(title=f'@{author.handle}') if author else '',
            f'({", ".join(excluded)})' if excluded else '',
        )
        self.rule_id.message_post(
            body=body, author_id=self.env.user.partner_id.id, subtype_xmlid='mail.mt_note'
        )
