from odoo import SUPERUSER_ID, api, models


class SocialCrmMention(models.Model):
    """What comes in by a personal account is its owner's: by whatever way others look for it."""

    _inherit = 'social.crm.mention'

    @api.depends('owner_id')
    @api.depends_context('uid')
    def _compute_display_name(self):
        """Name the first words to the owner alone.

        Odoo shows a record's name, read as superuser, to whoever sees a record that points to it.
        """
        hidden = self.filtered(
            lambda mention: (
                mention.owner_id.id not in (False, self.env.uid) and self.env.uid != SUPERUSER_ID
            )
        )
        hidden.display_name = self.env._('Mention of a personal account')
        return super(SocialCrmMention, self - hidden)._compute_display_name()

    def write(self, vals):
        if not self.env.su:
            # Ids in a request prove nothing: what is said on the network is logged on these.
            for name in ('lead_id', 'ticket_id'):
                if vals.get(name):
                    self.env[self._fields[name].comodel_name].browse(vals[name]).check_access(
                        'read'
                    )
        return super().write(vals)

    def _is_confidential(self):
        """Return whether this was written to one user alone, and not for everybody to read."""
        self.ensure_one()
        return bool(self.owner_id) and (
            self.kind == 'message' or self.visibility in ('direct', 'followers')
        )

    def _keep_confidential(self):
        """Return the mentions that rules may show to others; note on the rest why nothing is done.

        Their owner may make a lead or ticket of one by hand.
        """
        kept = self.filtered(lambda mention: mention._is_confidential())
        kept.write(
            {'no_lead_reason': self.env._('Private messages of personal accounts stay there.')}
        )
        return self - kept
