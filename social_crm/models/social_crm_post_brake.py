from odoo import api, fields, models
from odoo.exceptions import AccessError
from odoo.tools import SQL

APPROVER = 'social_crm.social_crm_group_approver'


class SocialCrmAccount(models.Model):
    """The brake: in a crisis, what was planned in better times does not go out by itself."""

    _inherit = 'social.crm.account'

    posts_held = fields.Boolean(
        readonly=True,
        copy=False,
        tracking=True,
        help='Scheduled posts wait until they are released, one by one or all.',
    )

    def action_hold_posts(self):
        """Let no scheduled post go out by these accounts."""
        self._check_may_brake()
        self.sudo().posts_held = True  # sudo: rights were checked

    def action_release_posts(self):
        """Let scheduled posts go out again; what fell due meanwhile and is too late asks first."""
        self._check_may_brake()
        self.sudo().posts_held = False  # sudo: rights were checked
        self.env.ref('social_crm.ir_cron_deliver').sudo()._trigger()  # sudo: wake the loop only

    def action_view_held(self):
        """Show the posts that wait."""
        action = self.env['ir.actions.act_window']._for_xml_id('social_crm.social_crm_post_action')
        action.update(
            domain=[('account_ids', 'in', self.ids), ('state', '=', 'scheduled')],
            context={},
            views=[(False, 'list'), (False, 'form')],
        )
        return action

    def _check_may_brake(self):
        self.check_access('read')
        for account in self:
            own = account.kind == 'personal' and account.user_id == self.env.user
            if not (own or account.kind == 'brand' and self.env.user.has_group(APPROVER)):
                raise AccessError(
                    self.env._(
                        'The posts of a personal account are held by its owner, those of a brand '
                        'account by whoever may approve posts.'
                    )
                )


class SocialCrmPublication(models.Model):
    _inherit = 'social.crm.publication'

    released = fields.Boolean(
        readonly=True, copy=False, help='Goes out although the posts of its account are held.'
    )

    @api.model
    def _not_held(self):
        return SQL(
            """(d.released OR d.kind = 'comment' OR NOT EXISTS (
                SELECT 1 FROM social_crm_account h WHERE h.id = d.account_id AND h.posts_held))"""
        )


class SocialCrmPost(models.Model):
    _inherit = 'social.crm.post'

    held = fields.Boolean(compute='_compute_held', compute_sudo=True)

    @api.depends(
        'state', 'account_ids.posts_held', 'publication_ids.released', 'publication_ids.kind'
    )
    def _compute_held(self):
        for post in self:
            post.held = post.state == 'scheduled' and any(
                row.account_id.posts_held and not row.released
                for row in post.publication_ids
                if row.kind == 'post'
            )

    def action_release(self):
        """Let these posts go out at their time although their accounts are held."""
        self.check_access('read')
        held = self.account_ids.filtered('posts_held')
        held._check_may_brake()
        rows = self.sudo().publication_ids  # sudo: rights were checked
        rows.filtered(lambda row: row.account_id in held).released = True
        for post in self.sudo():  # sudo: rights were checked; approvers need not write posts
            post.message_post(body=self.env._('Released although the posts are held.'))
        self.env.ref('social_crm.ir_cron_deliver').sudo()._trigger()  # sudo: wake the loop only
