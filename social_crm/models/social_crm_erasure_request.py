import logging
import secrets

from odoo import api, fields, models

from ..tools import clean, insert_skip_known

_logger = logging.getLogger(__name__)

STATUS_PATH = '/social_crm/privacy'


class SocialCrmErasureRequest(models.Model):
    """A person's wish, told by a network, that their data be deleted; and what came of it.

    The code is all that the person gets: it opens a public page that tells the state and nothing
    about anybody.
    """

    _name = 'social.crm.erasure.request'
    _description = 'Request for Erasure'
    _order = 'id desc'
    _rec_name = 'code'

    code = fields.Char('Confirmation Code', required=True, readonly=True, index=True)
    network = fields.Selection(selection='_selection_network', required=True, readonly=True)
    external_id = fields.Char('Person', readonly=True, help="The network's id of the person.")
    company_id = fields.Many2one('res.company', required=True, readonly=True, index=True)
    state = fields.Selection(
        [('requested', 'Requested'), ('done', 'Done')],
        default='requested',
        required=True,
        readonly=True,
    )
    requested_at = fields.Datetime(required=True, readonly=True, default=fields.Datetime.now)
    done_at = fields.Datetime(readonly=True)

    _unique_open = models.UniqueIndex(
        "(company_id, network, external_id) WHERE state = 'requested'",
        'This erasure is requested already.',
    )

    @api.model
    def _selection_network(self):
        return self.env['social.crm.app']._selection_network()

    # === ACTION METHODS === #

    def action_process(self):
        """Erase now."""
        self.check_access('read')
        self.sudo()._process()  # sudo: rows are the module's; who may read them may carry them out

    # === BUSINESS METHODS === #

    @api.model
    def _request(self, apps, external_id):
        """Add a request for each company of ``apps``; asked again, it stays the same.

        :return: the code for the person
        """
        external_id = clean(external_id, 500)
        code = secrets.token_hex(12)
        now = fields.Datetime.now()
        rows = [
            {
                'network': apps[0].network,
                'external_id': external_id,
                'company_id': company.id,
                'code': code,
                'state': 'requested',
                'requested_at': now,
            }
            for company in apps.company_id
        ]
        insert_skip_known(self, rows)
        requests = self.search(
            [
                ('network', '=', apps[0].network),
                ('external_id', '=', external_id),
                ('company_id', 'in', apps.company_id.ids),
                ('state', '=', 'requested'),
            ],
            order='id',
        )
        requests.code = requests[0].code
        self.env.ref('social_crm.ir_cron_retain')._trigger()
        return requests[0].code

    @api.model
    def _process_open(self):
        """Carry out what was asked for; called by the loop that deletes what is due."""
        for request in self.search([('state', '=', 'requested')], order='id'):
            try:
                request._process()
            except Exception:  # one that fails must not stop the others; it stays to be seen
                _logger.exception('request for erasure %s failed', request.code)
            self.env['ir.cron']._commit_progress(processed=1)

    def _process(self):
        """Erase what is stored about the persons; each request in a savepoint of its own."""
        for request in self.filtered(lambda request: request.state == 'requested'):
            with self.env.cr.savepoint():
                request.env['social.crm.profile'].with_company(request.company_id)._erase_person(
                    request.company_id,
                    request.network,
                    request.external_id,
                    self.env._('requested at the network, code %s', request.code),
                )
                request.write(
                    {'state': 'done', 'done_at': fields.Datetime.now(), 'external_id': False}
                )

    @api.model
    def _status_url(self, code):
        return f'{self.get_base_url()}{STATUS_PATH}/{code}'

    @api.model
    def _status(self, code):
        """Return what the public page tells of a code: state, times; ``None`` for no such code."""
        requests = self.search([('code', '=', code)])
        if not requests:
            return None
        done = all(request.state == 'done' for request in requests)
        return {
            'done': done,
            'requested_at': min(requests.mapped('requested_at')),
            'done_at': max(requests.mapped('done_at')) if done else False,
        }
