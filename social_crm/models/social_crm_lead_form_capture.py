import logging

import psycopg2.errors

from odoo import fields, models

from ..providers.types import Unreadable
from ..tools import clean

_logger = logging.getLogger(__name__)


class SocialCrmStream(models.Model):
    """What is filled in comes as items of a stream, polled or pushed."""

    _inherit = 'social.crm.stream'

    def _park_submissions(self, items):
        """Park the submissions that cannot become leads now; return the other items."""
        submissions = [item for item in items if item.kind == 'lead_form']
        if not submissions:
            return items
        problems = self._submission_problems(submissions)
        for item in submissions:
            if item.external_id in problems:
                self.env['social.crm.parked.item']._park(
                    self,
                    Unreadable(item.raw, problems[item.external_id], item.external_id),
                    form_key=item.form_id,
                )
        return [item for item in items if item.external_id not in problems]

    def _submission_problems(self, items):
        """Return why submissions cannot become leads: dict of external id -> reason.

        A form that is not known is asked for at the network soon.
        """
        forms = self._lead_forms(items)
        problems = {}
        for item in items:
            form = forms.get(item.form_id)
            if not form:
                reason = self.env._(
                    'The form %s is not known yet. It is fetched from the network by itself.',
                    clean(item.form_id, 100) or '?',
                )
            else:
                reason = form._problem(item.fields)
            if reason:
                problems[item.external_id] = reason
        if any(item.form_id not in forms for item in items):
            self.account_id._want_setup()
        return problems

    def _lead_forms(self, items):
        """Return the known forms that items were filled in by: dict of external id -> form."""
        keys = {item.form_id for item in items if item.kind == 'lead_form'}
        if not keys:
            return {}
        forms = self.env['social.crm.lead.form'].search(
            [('account_id', '=', self.account_id.id), ('external_id', 'in', list(keys))]
        )
        return {form.external_id: form for form in forms}

    def _submission_row(self, item, forms):
        """Return what the row of a mention holds of a submission; nothing for other items."""
        form = forms.get(item.form_id) if item.kind == 'lead_form' else None
        return {
            'lead_form_id': form.id if form else None,
            'is_test': item.test,
            'submission': {
                'fields': {
                    clean(str(key), 250): clean(str(value), 5000)
                    for key, value in item.fields.items()
                },
                'attribution': {
                    clean(str(key), 100): clean(str(value), 500)
                    for key, value in item.attribution.items()
                },
            }
            if form
            else None,
        }


class SocialCrmMention(models.Model):
    """A submission of a lead form always makes a lead of its own: the person asked for it."""

    _inherit = 'social.crm.mention'

    lead_form_id = fields.Many2one(
        'social.crm.lead.form', readonly=True, index='btree_not_null', ondelete='set null'
    )
    submission = fields.Json(readonly=True)
    is_test = fields.Boolean('Test', readonly=True)

    def _capture_submissions(self):
        """Make a lead of each submission, all at once; each in a savepoint of its own where that
        fails.

        :return: those that failed; the reason stands on them
        """
        waiting = self.browse()
        for mention in self.filtered(lambda mention: mention.lead_form_id and not mention.lead_id):
            reason = mention._reason_for_no_form_lead()
            if reason:
                mention.no_lead_reason = reason
            else:
                waiting |= mention
        return waiting._try_form_leads()

    def _try_form_leads(self):
        if not self:
            return self
        try:
            with self.env.cr.savepoint():
                self._create_form_leads()
                self.env.flush_all()
        except psycopg2.errors.SerializationFailure:
            raise
        except Exception as error:  # the boundary: one of them must not stop the others
            if len(self) > 1:
                return self.browse().union(*(mention._try_form_leads() for mention in self))
            if not isinstance(error, ValueError):
                _logger.warning('submission %s failed', self.id, exc_info=True)
            self.write({'act_state': 'failed', 'act_error': clean(str(error), 500)})
            return self
        return self.browse()

    def _reason_for_no_form_lead(self):
        form = self.lead_form_id
        if form.paused:
            return self.env._('The form is paused.')
        if self.is_test and not form.test_leads:
            return self.env._('Somebody tried the form out.')
        if self.author_id.blocked:
            return self.env._('The author is blocked.')
        return ''

    def _create_form_leads(self):
        Lead = self.env['crm.lead'].with_context(
            mail_create_nosubscribe=True,
            mail_create_nolog=True,
            mail_auto_subscribe_no_notify=True,
            default_user_id=False,
        )
        leads = Lead.create([mention.lead_form_id._lead_values(mention) for mention in self])
        for mention, lead in zip(self.with_context(tracking_disable=True), leads, strict=True):
            mention.write(
                {
                    'lead_id': lead.id,
                    'campaign_id': mention.campaign_id.id or lead.campaign_id.id,
                    'no_lead_reason': False,
                }
            )
        leads._message_log_batch({mention.lead_id.id: mention._as_note() for mention in self})
        # Who leads a team of all companies need not be in each.
        leads.filtered(
            lambda lead: not lead.user_id and lead.company_id in lead.team_id.user_id.company_ids
        )._assign_userless_lead_in_team(self.env._('lead form'))
        leads._social_notify_assigned()
