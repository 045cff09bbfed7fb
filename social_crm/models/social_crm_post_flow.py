from odoo import api, fields, models
from odoo.exceptions import AccessError, UserError, ValidationError

APPROVER = 'social_crm.social_crm_group_approver'
LOCKED = ('publishing', 'published', 'partial', 'cancelled')
OUT = ('sending', 'unconfirmed', 'sent')
MOST_APPROVERS = 10


class SocialCrmPost(models.Model):
    """The way of a post from draft to the queue: submit, approve, edit, cancel."""

    _inherit = 'social.crm.post'

    needs_approval = fields.Boolean(
        compute='_compute_needs_approval',
        store=True,
        compute_sudo=True,
        help='The company wants posts on brand accounts to be approved.',
    )
    approved_by_id = fields.Many2one('res.users', readonly=True, copy=False, tracking=True)
    approved_at = fields.Datetime(readonly=True, copy=False)
    may_approve = fields.Boolean(compute='_compute_may_approve')
    is_locked = fields.Boolean(compute='_compute_is_locked', help='Cannot be edited any more.')

    # === COMPUTE METHODS === #

    @api.depends('company_id.social_crm_post_approval', 'account_ids.kind')
    def _compute_needs_approval(self):
        for post in self:
            brand = any(account.kind == 'brand' for account in post.account_ids)
            post.needs_approval = brand and post.company_id.social_crm_post_approval

    @api.depends_context('uid')
    def _compute_may_approve(self):
        self.may_approve = self.env.user.has_group(APPROVER)

    @api.depends('state', 'sent_count')
    def _compute_is_locked(self):
        """Tell forms what is (partly) out or cancelled; :meth:`_check_may_edit` decides."""
        for post in self:
            post.is_locked = bool(post.sent_count) or post.state in LOCKED

    # === ACTION METHODS === #

    def action_submit(self):
        """Publish now, put into the queue, or ask for approval: whatever comes next."""
        self.check_access('write')
        self._sync_publications()  # what was put beside the accounts is none of the post
        for post in self:
            if post.step != 'draft':
                raise UserError(self.env._('This post was submitted already.'))
            post._check_ready()
            # sudo: the step is decided by these methods only; rights were checked
            if post.needs_approval and not post.may_approve:
                post.sudo().step = 'waiting'
                post._ask_for_approval()
            else:
                post._approve()
        return True

    def action_approve(self):
        """Approve as it stands now; from here on it goes out by itself."""
        self._check_approver()
        for post in self:
            if post.step != 'waiting':
                raise UserError(self.env._('This post does not wait for approval.'))
            post._check_ready()
            post._approve()
        return True

    def action_send_back(self):
        """Give a post back to its author instead of approving it."""
        self._check_approver()
        for post in self:
            if post.step != 'waiting':
                raise UserError(self.env._('This post does not wait for approval.'))
            post._back_to_draft(self.env._('%s did not approve the post.', self.env.user.name))
        return True

    def action_draft(self):
        """Take a post out of the queue, to go on writing."""
        self.check_access('write')
        for post in self:
            if post.step != 'cancelled':
                post._check_may_edit()
            post._back_to_draft(self.env._('Taken back to draft by %s.', self.env.user.name))
        return True

    def action_cancel(self):
        """Cancel what has not gone out yet; what is out stays out."""
        self.check_access('write')
        for post in self:
            rows = post._lock_publications()
            waiting = rows.filtered(lambda row: row.delivery_state in ('queued', 'failed'))
            if post.step == 'cancelled' or post.step == 'approved' and not waiting:
                raise UserError(self.env._('There is nothing left to cancel.'))
            waiting.write({'delivery_state': 'cancelled', 'next_try': False})
            if not rows.filtered(lambda row: row.delivery_state in OUT):
                post.sudo().step = 'cancelled'  # sudo: see action_submit
            post._end_activities()
        return True

    def action_retry(self):
        """Send again what failed, at the accounts where it failed."""
        self.check_access('write')
        failed = self.publication_ids.filtered(lambda row: row.delivery_state == 'failed')
        if not failed:
            raise UserError(self.env._('Nothing of this failed.'))
        failed.action_retry()
        return True

    # === APPROVAL === #

    def _check_approver(self):
        self.check_access('read')
        if not self.env.user.has_group(APPROVER):
            raise AccessError(self.env._('Posts are approved by users with the right to do so.'))

    def _approve(self):
        self.ensure_one()
        post = self.sudo()  # sudo: rights were checked; the step is decided by these methods only
        now = fields.Datetime.now()
        post.write({'step': 'approved', 'approved_by_id': self.env.uid, 'approved_at': now})
        if post.schedule == 'now':
            post.with_context(social_crm_own_write=True).due_at = now
        post._enqueue()
        post._end_activities()

    def _enqueue(self):
        """Let the loop have what waits. Checks were made."""
        self._sync_publications()  # to the accounts of the post, and no others
        for post in self.sudo():  # sudo: the queue is the module's own
            rows = post.publication_ids.filtered(lambda row: row.delivery_state == 'queued')
            rows._track_links()
            rows.write({'due_at': post.due_at or fields.Datetime.now()})

    def _dequeue(self):
        rows = self.sudo().publication_ids  # sudo: the queue is the module's own
        waiting = rows.filtered(lambda row: row.delivery_state in ('queued', 'failed', 'cancelled'))
        waiting.write({'delivery_state': 'queued', 'due_at': False, 'next_try': False})

    def _back_to_draft(self, message):
        self._lock_publications()
        self._dequeue()
        post = self.sudo()  # sudo: see action_submit
        post.write({'step': 'draft', 'approved_by_id': False, 'approved_at': False})
        post._end_activities()
        self.message_post(body=message)

    def _ask_for_approval(self):
        summary = self.env._('Approve the post "%s"', self.name)
        for approver in self._approvers():
            self.sudo().activity_schedule(  # sudo: an activity for somebody else
                'social_crm.mail_activity_type_approve',
                user_id=approver.id,
                summary=summary,
            )

    def _approvers(self):
        group = self.env.ref(APPROVER).sudo()  # sudo: who may approve is no secret in a company
        users = group.all_user_ids.filtered(
            lambda user: user.active and not user.share and self.company_id in user.company_ids
        )
        root = self.env.ref('base.user_root')
        return (users - self.env.user - root)[:MOST_APPROVERS]

    def _end_activities(self):
        types = ['social_crm.mail_activity_type_approve', 'social_crm.mail_activity_type_failed']
        self.sudo().activity_unlink(types)  # sudo: activities of others, about a thing that is done

    # === EDIT === #

    def _lock_publications(self):
        """Return the publications, locked: the loop does not take one up meanwhile."""
        rows = self.sudo().publication_ids  # sudo: those of colleagues' accounts count as well
        rows.lock_for_update()
        rows.invalidate_recordset(['delivery_state'])
        return rows

    def _is_own_write(self):
        """Return whether the module itself writes; a context alone comes from anybody."""
        return self.env.su and self.env.context.get('social_crm_own_write')

    def _check_may_edit(self):
        """Raise when (a part of) it is out already, or when it is somebody else's own."""
        if self._is_own_write():
            return
        for post in self:
            if not self.env.su and post.owner_id and post.owner_id != self.env.user:
                raise AccessError(self.env._('Only %s may change this post.', post.owner_id.name))
            if post.step == 'draft':
                continue
            if post.step == 'cancelled':
                raise UserError(self.env._('This post is cancelled: make a draft of it first.'))
            if post._lock_publications().filtered(lambda row: row.delivery_state in OUT):
                raise UserError(
                    self.env._('This post is (partly) out, so it cannot be changed any more.')
                )

    def _after_edit(self, content):
        """What was approved is what goes out: an edit withdraws the approval."""
        if self._is_own_write():
            return
        for post in self.filtered(lambda post: post.step in ('waiting', 'approved')):
            if (
                post.step == 'approved'
                and post.needs_approval
                and (content or not post.may_approve)
            ):
                post._withdraw_approval()
            elif post.step == 'approved':
                post._check_ready()
                post._enqueue()

    def _withdraw_approval(self, message=None):
        self._dequeue()
        self.sudo().write(
            {'step': 'waiting', 'approved_by_id': False, 'approved_at': False}
        )  # sudo: see action_submit
        self.message_post(
            body=message
            or self.env._(
                '%s changed the post after it was approved: it has to be approved again.',
                self.env.user.name,
            )
        )
        self._ask_for_approval()

    # === CHECKS === #

    def _check_ready(self):
        """Raise with all that is wrong, account by account, unless this can go out."""
        for post in self:
            rows = post.sudo().publication_ids.filtered(  # sudo: colleagues' accounts count as well
                lambda row: row.kind == 'post' and row.delivery_state in ('queued', 'failed')
            )
            if not rows:
                raise ValidationError(self.env._('Choose at least one account.'))
            if 'queued' in rows.mapped('delivery_state'):
                post._check_due()
            problems = [
                f'{row.account_id.display_name}: {problem}'
                for row in rows
                for problem in (row.problems or '').splitlines()
            ]
            if problems:
                raise ValidationError('\n'.join(problems))
