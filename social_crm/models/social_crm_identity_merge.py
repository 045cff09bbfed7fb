from markupsafe import Markup

from odoo import api, fields, models
from odoo.exceptions import UserError

#: Which of two decisions about a profile stands when their contacts become one.
STRENGTH = {'confirmed': 3, 'linked': 2, 'rejected': 1, 'suggested': 0}


class SocialCrmIdentityMerge(models.Model):
    """Two contacts are one person on the networks: what was moved, so that it can be moved back.

    The contacts stay two; Odoo's own *Merge* makes them one, and cannot be undone.
    """

    _name = 'social.crm.identity.merge'
    _description = 'Merge of Social Identities'
    _order = 'id desc'
    _rec_name = 'source_id'

    partner_id = fields.Many2one(
        'res.partner', 'Kept Contact', required=True, readonly=True, index=True, ondelete='cascade'
    )
    source_id = fields.Many2one(
        'res.partner', 'Other Contact', required=True, readonly=True, index=True, ondelete='cascade'
    )
    profile_ids = fields.Many2many(
        'social.crm.profile', 'social_crm_identity_merge_profile_rel', readonly=True
    )
    match_ids = fields.Many2many(
        'social.crm.match', 'social_crm_identity_merge_match_rel', readonly=True
    )
    user_id = fields.Many2one('res.users', 'Merged By', readonly=True, ondelete='restrict')
    undone_at = fields.Datetime(readonly=True)
    undone_by = fields.Many2one('res.users', readonly=True, ondelete='restrict')

    @api.model
    def _merge(self, source, target):
        """Move the profiles of ``source`` to ``target``, and what was decided about them.

        :return: the record of it
        """
        profiles = source.social_profile_ids
        profiles.check_access('write')
        if source == target:
            raise UserError(
                self.env._('Choose two contacts: a contact cannot be merged with itself.')
            )
        if not profiles:
            raise UserError(self.env._('%s has no social profiles to move.', source.display_name))
        wrong = profiles.filtered(
            lambda profile: target.company_id and target.company_id != profile.company_id
        )
        if wrong:
            raise UserError(
                self.env._(
                    '%(contact)s belongs to %(company)s, the profile @%(handle)s does not.',
                    contact=target.display_name,
                    company=target.company_id.name,
                    handle=wrong[0].handle,
                )
            )
        # sudo: the rows are the module's; a move is no decision about the profiles
        matches = self.env['social.crm.match'].sudo()._join(source, target)
        merge = self.sudo().create(
            {
                'partner_id': target.id,
                'source_id': source.id,
                'profile_ids': profiles.ids,
                'match_ids': matches.ids,
                'user_id': self.env.uid,
            }
        )
        merge._move(source, target)
        return merge.sudo(False)

    def action_undo(self):
        """Move back what is still where it was moved to."""
        for merge in self:
            if merge.undone_at:
                raise UserError(self.env._('This merge was undone already.'))
            merge.profile_ids.check_access('write')
            # sudo: as in _merge
            merge.sudo()._move(merge.partner_id, merge.source_id)
            merge.sudo().write({'undone_at': fields.Datetime.now(), 'undone_by': self.env.uid})

    def _move(self, source, target):
        profiles = self.profile_ids.filtered(lambda profile: profile.partner_id == source)
        taken = self.env['social.crm.match'].search(
            [('partner_id', '=', target.id), ('profile_id', 'in', self.match_ids.profile_id.ids)]
        )
        moved = self.match_ids.filtered(
            lambda match: match.partner_id == source and match.profile_id not in taken.profile_id
        )
        moved.write({'partner_id': target.id})
        profiles.write({'partner_id': target.id})
        # By these links the note is found again when one of them is erased.
        names = [profile._get_html_link(title=f'@{profile.handle}') for profile in profiles]
        text = self.env._('Social profiles moved from %(from)s to %(to)s: %(profiles)s')
        note = (
            Markup('<p>%s</p>')
            % Markup(text)
            % {
                'from': source.display_name,
                'to': target.display_name,
                'profiles': Markup(', ').join(names),
            }
        )
        for partner in source | target:
            partner._message_log(body=note)
        (source | target).social_match_due = True


class SocialCrmMatch(models.Model):
    _inherit = 'social.crm.match'

    @api.model
    def _join(self, source, target):
        """Make room for the matches of ``source`` (contacts) at ``target``.

        Where both have one with the same profile the stronger stays: what a profile is linked by,
        then a rejection, then a suggestion.

        :return: the matches of ``source`` that are left
        """
        matches = self.search([('partner_id', 'in', (source | target).ids)])
        for double in matches.grouped('profile_id').values():
            strongest = max(double, key=lambda match: (STRENGTH[match.state], -match.id))
            (double - strongest).unlink()
        return matches.exists().filtered(lambda match: match.partner_id in source)
