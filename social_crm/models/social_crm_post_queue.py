import psycopg2.errors

from odoo import fields, models
from odoo.exceptions import RedirectWarning, UserError
from odoo.fields import Domain

from .social_crm_post import TIME


class SocialCrmPublication(models.Model):
    _inherit = 'social.crm.publication'

    slot_at = fields.Datetime(
        'Queue Slot',
        readonly=True,
        copy=False,
        help='The moment that is kept for this post.',
    )

    # What two workers at once cannot see of each other, the database does.
    _unique_slot = models.UniqueIndex(
        '(account_id, slot_at) WHERE slot_at IS NOT NULL',
        'This slot has just been taken.',
    )

    def write(self, vals):
        """Give the slot back with what is cancelled."""
        if vals.get('delivery_state') == 'cancelled':
            vals = {**vals, 'slot_at': False}
        return super().write(vals)


class SocialCrmPost(models.Model):
    """The queue: a post takes the next slot of its accounts that nothing stands in yet."""

    _inherit = 'social.crm.post'

    def write(self, vals):
        """Give the slot back with what is moved out of it."""
        result = super().write(vals)
        if vals.keys() & TIME:
            rows = self.sudo().publication_ids  # sudo: those of colleagues' accounts as well
            rows.filtered(
                lambda row: row.slot_at and row.slot_at != row.post_id.due_at
            ).slot_at = False
        return result

    # === ACTION METHODS === #

    def action_queue(self):
        """Take the next free slot, then go the way of any post: into the queue or for approval."""
        self.check_access('write')
        for post in self:
            if post.step != 'draft':
                raise UserError(self.env._('This post was submitted already.'))
            post._take_slot()
        return self.action_submit()

    # === HELPERS === #

    def _take_slot(self):
        """Schedule this draft in the first slot that all its accounts have free.

        :raise RedirectWarning: when they have no slot in common
        """
        self.ensure_one()
        now = fields.Datetime.now()
        taken, found = self._taken_moments(now), False
        for moment, slot in self.env['social.crm.slot']._moments(self.account_ids, now):
            found = True
            if moment not in taken and self._keep_slot(moment):
                self.write(self._wall_values(moment, slot.tz))
                return
        if found:
            raise UserError(self.env._('All queue slots of the coming half year are taken.'))
        raise RedirectWarning(
            self.env._('There is no queue slot that all accounts of this post have in common.')
            if self.account_ids
            else self.env._('Choose at least one account.'),
            self.env.ref('social_crm.social_crm_slot_action').id,
            self.env._('Queue Slots'),
        )

    def _taken_moments(self, after):
        """Return when posts of these accounts stand in the calendar, be they drafts."""
        posts = self.sudo().search_fetch(  # sudo: colleagues' posts are in the way just the same
            Domain('account_ids', 'in', self.account_ids.ids)
            & Domain('due_at', '>', after)
            & Domain('state', '!=', 'cancelled')
            & Domain('id', '!=', self.id),
            ['due_at'],
        )
        return set(posts.mapped('due_at'))

    def _keep_slot(self, moment):
        """Keep a moment for this post; ``False`` when another worker was quicker."""
        # sudo: the queue is the module's own; rights were checked
        rows = self.sudo().publication_ids.filtered(lambda row: row.kind == 'post')
        try:
            with self.env.cr.savepoint():
                rows.slot_at = moment
        except psycopg2.errors.UniqueViolation:
            return False
        return True
