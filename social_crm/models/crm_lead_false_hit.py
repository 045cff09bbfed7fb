from odoo import fields, models
from odoo.exceptions import AccessError, UserError


class CrmLead(models.Model):
    """A captured lead that is none: closed, and its rule told so; and the way back."""

    _inherit = 'crm.lead'

    social_false_hit_ids = fields.One2many(
        'social.crm.false.hit', 'lead_id', 'Said to Be No Lead', readonly=True
    )

    def action_social_not_a_lead(self):
        """Open the dialog that closes this lead and tells its rule."""
        self.ensure_one()
        self.check_access('write')
        if not self.social_mention_id:
            raise UserError(self.env._('This lead does not come from a social network.'))
        return {
            'type': 'ir.actions.act_window',
            'name': self.env._('Not a Lead'),
            'res_model': 'social.crm.not.lead',
            'view_mode': 'form',
            'target': 'new',
            'context': {'default_lead_id': self.id},
        }

    def action_social_is_a_lead(self):
        """Take "not a lead" back: the lead is open again, and the rule excludes as before."""
        self.ensure_one()
        self.check_access('write')
        # sudo: the user may write the lead, and takes back here what was said about it
        hits = self.sudo().social_false_hit_ids
        hits._undo()
        self.action_unarchive()
        ignored = self.sudo().social_mention_ids  # sudo: as above
        ignored.filtered(lambda mention: mention.state == 'ignored').write({'state': 'open'})

    def _close_as_no_lead(self, rule, words=(), exclude_author=False):
        """Close this lead as lost, its mentions as ignored, and feed the rule's exclusions.

        :param rule: the rule that made it; may be empty
        :param words: what the rule is to exclude from now on
        :param bool exclude_author: whether the rule is to exclude the author
        """
        self.ensure_one()
        self.check_access('write')
        # sudo: which rules found it; others are not to be changed by working on this lead
        if rule and rule not in self.sudo().social_mention_ids.rule_ids:
            raise AccessError(self.env._('That rule did not find this lead.'))
        if rule:
            # sudo: who works the leads may tell a rule what is none: noted there, with an undo
            hit = (
                self.env['social.crm.false.hit']
                .sudo()
                .create(
                    {
                        'rule_id': rule.id,
                        'lead_id': self.id,
                        'mention_id': self.social_mention_id.id,
                        'author_id': self.social_profile_id.id,
                        'user_id': self.env.uid,
                        'words': '\n'.join(words),
                        'author_excluded': exclude_author,
                    }
                )
            )
            hit._feed_rule()
        # sudo: what the lead was made of is done with it
        waiting = self.sudo().social_mention_ids.filtered(
            lambda mention: mention.state in ('new', 'open')
        )
        waiting.write({'state': 'ignored'})
        self.action_set_lost(
            lost_reason_id=self.env['ir.model.data']._xmlid_to_res_id(
                'social_crm.crm_lost_reason_not_a_lead'  # people may have deleted it
            )
        )
