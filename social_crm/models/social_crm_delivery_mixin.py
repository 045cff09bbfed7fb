import random
import uuid
from datetime import timedelta

from odoo import api, fields, models, modules
from odoo.exceptions import UserError
from odoo.fields import Domain

from ..delivery import Courier
from ..tools import is_web, without_defaults

RUN_SECONDS = 50  # with the longest call well below Odoo's limit for a cron of 120 seconds
AHEAD = 100  # longer than a cron worker may sleep: nothing falls due unseen
STATES = [
    ('queued', 'Waiting'),
    ('sending', 'Sending'),
    ('sent', 'Sent'),
    ('failed', 'Failed'),
    ('unconfirmed', 'Unconfirmed'),
    ('cancelled', 'Cancelled'),
]


class SocialCrmDeliveryMixin(models.AbstractModel):
    """Something that is sent to a network exactly once.

    ``queued`` rows that are due become ``sending``, committed, before the network is called. The
    outcome is stored in a transaction of its own. Where there is none (a crash, an answer that got
    lost) the row becomes ``unconfirmed`` and is looked up on the network before any second try; see
    :mod:`..delivery` for the loop, and the two files beside this one for how rows are claimed and
    what an outcome means.
    """

    _name = 'social.crm.delivery.mixin'
    _description = 'Delivery to a Social Network'

    account_id = fields.Many2one(
        'social.crm.account',
        required=True,
        index=True,
        ondelete='restrict',
        check_company=True,
    )
    company_id = fields.Many2one(related='account_id.company_id', store=True, index=True)
    delivery_state = fields.Selection(
        STATES,
        'Status',
        default='queued',
        required=True,
        readonly=True,
        copy=False,
        index=True,
    )
    due_at = fields.Datetime('Due', default=fields.Datetime.now)
    next_try = fields.Datetime(readonly=True, copy=False)
    first_attempted_at = fields.Datetime('First Try', readonly=True, copy=False)
    attempted_at = fields.Datetime('Last Try', readonly=True, copy=False)
    attempts = fields.Integer('Tries', readonly=True, copy=False)
    sent_at = fields.Datetime('Sent', readonly=True, copy=False)
    idempotency_key = fields.Char(
        readonly=True,
        copy=False,
        required=True,
        default=lambda self: str(uuid.uuid4()),
    )
    external_id = fields.Char(readonly=True, copy=False)
    local_id = fields.Char(readonly=True, copy=False)
    url = fields.Char('Address', readonly=True, copy=False)
    failure_code = fields.Char(readonly=True, copy=False)
    failure_reason = fields.Char(readonly=True, copy=False)
    lease = fields.Char(readonly=True, copy=False)
    lease_until = fields.Datetime(readonly=True, copy=False)

    _due = models.Index("(due_at) WHERE delivery_state = 'queued'")
    _open = models.Index(
        "(next_try, lease_until) WHERE delivery_state IN ('sending', 'unconfirmed')"
    )

    # === CONSTRAINT METHODS === #

    @api.ondelete(at_uninstall=False)
    def _unlink_except_under_way(self):
        if any(record.delivery_state in ('sending', 'unconfirmed') for record in self):
            raise UserError(
                self.env._('This is being sent or may have been sent: wait for the outcome.')
            )

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        bare = without_defaults(self)  # they would say that it was sent, or is due
        records = super(SocialCrmDeliveryMixin, bare).create(vals_list).with_env(self.env)
        records._wake()
        return records

    def write(self, vals):
        result = super().write(vals)
        if vals.get('delivery_state') == 'queued' or {'due_at', 'next_try'} & vals.keys():
            self._wake()
        return result

    # === ACTION METHODS === #

    def action_retry(self):
        """Send again what failed, was cancelled, or is not on the network, says a person."""
        self._check_may_send()
        for record in self.sudo():  # sudo: checked just above; nobody writes the state by hand
            if record.delivery_state not in ('failed', 'cancelled', 'unconfirmed'):
                raise UserError(
                    self.env._(
                        'Only what failed, was cancelled or is unconfirmed can be sent again.'
                    )
                )
            # What a person says is not there is not looked for again: the next look starts now.
            record._requeue(fields.Datetime.now(), attempts=0, first_attempted_at=False)

    def action_cancel(self):
        """Do not send it (any more)."""
        self._check_may_send()
        for record in self.sudo():  # sudo: checked just above; nobody writes the state by hand
            if record.delivery_state not in ('queued', 'failed', 'unconfirmed'):
                raise UserError(
                    self.env._('It is too late: this is being sent or was sent already.')
                )
            record.write({'delivery_state': 'cancelled', 'next_try': False, 'lease': False})

    def action_mark_sent(self):
        """A person saw it on the network."""
        self._check_may_send()
        for record in self.sudo():  # sudo: checked just above; nobody writes the state by hand
            if record.delivery_state != 'unconfirmed':
                raise UserError(self.env._('Only what is unconfirmed can be confirmed.'))
            record._set_sent(None)

    def _open_url(self):
        """Return the action that opens this on its network; the server there gave the address."""
        self.ensure_one()
        if not is_web(self.url):
            raise UserError(self.env._('The network gives no address for this.'))
        return {'type': 'ir.actions.act_url', 'url': self.url, 'target': 'new'}

    def _check_may_send(self):
        """Raise AccessError unless the user may decide about sending these."""
        self.check_access('write')

    # === LOOP === #

    def _register_hook(self):
        """A server that starts looks at once for what fell due while it was down.

        Its workers would sleep for a minute first; this rings as a trigger does.
        """
        super()._register_hook()
        if self._name == 'social.crm.delivery.mixin' and not modules.module.current_test:
            self.env['ir.cron']._notifydb()

    @api.model
    def _cron_deliver(self):
        """Send what is due, of all kinds; stay awake for what falls due within the run."""
        kinds = self._delivery_models()
        if not kinds:
            return
        courier = Courier(kinds, AHEAD)
        courier.run(RUN_SECONDS)
        dues = [due for model in courier.models if (due := model._next_due())]
        if dues and min(dues) < fields.Datetime.now() + timedelta(seconds=AHEAD):
            # The worker may sleep for a minute: have it start the next run at once.
            self.env.ref('social_crm.ir_cron_deliver')._trigger()

    @api.model
    def _delivery_models(self):
        """Return an empty recordset of each model that is delivered."""
        names = self.env.registry.descendants(['social.crm.delivery.mixin'], '_inherit')
        return [self.env[name] for name in names if not self.env[name]._abstract]

    @api.model
    def _deliver_due(self):
        """Deliver what is due of this model, or of all when asked of the mixin; no waiting.

        :return: number of calls made
        """
        return Courier(self._delivery_models() if self._abstract else [self.browse()]).run()

    def _wake(self):
        """Have the loop run now, if any of these fall due before it would look by itself."""
        if self.env.context.get('social_crm_no_wake'):
            return
        soon = fields.Datetime.now() + timedelta(seconds=AHEAD)
        if any(
            record.delivery_state == 'queued' and record.due_at and record.due_at <= soon
            for record in self
        ):
            cron = self.env.ref('social_crm.ir_cron_deliver', raise_if_not_found=False)
            if cron:
                cron.sudo()._trigger()  # sudo: wake the loop only

    # === HOOKS === #

    @api.model
    def _sent_from_here(self):
        """Return the domain of rows that the loop sends; others are only kept here."""
        return Domain.TRUE

    def _outgoing(self, media=True):
        """Return this as a ``providers.types.Outgoing``, for a look-up without media."""
        raise NotImplementedError

    def _delivered(self, sent):
        """It stands on the network; in the transaction that stores the outcome."""

    def _not_delivered(self, error):
        """It failed for good; in the transaction that stores the outcome."""

    # === HELPERS === #

    def _requeue(self, when, **values):
        self.ensure_one()
        self.write(
            {
                'delivery_state': 'queued',
                'next_try': when,
                'lease': False,
                'lease_until': False,
                'failure_code': False,
                'failure_reason': False,
                **values,
            }
        )

    @staticmethod
    def _backoff(attempts, first=5, longest=900):
        """Return a pause that grows with the tries, with jitter."""
        seconds = min(first * 2 ** min(attempts, 10), longest)
        return timedelta(seconds=seconds * random.uniform(0.8, 1.2))
