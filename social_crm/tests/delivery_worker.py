"""Workers of the delivery loop that can be killed, for tests: a process that loads Odoo once and
forks a worker whenever it is told to. Run as a script with the name of a database; it reads a line
of JSON and answers with one: ``[function, arguments…]``.
"""

import json
import os
import signal
import sys
import uuid
from datetime import timedelta

sys.path.pop(0)  # this folder: its modules are no top-level ones

from psycopg2.errors import SerializationFailure

import odoo.sql_db
from odoo import fields

from tools.odoo_environment import load, new_environment


def connect(env, server, proxy, token):
    """Connect an account of a real server, whose calls go through a proxy; return its id."""
    from odoo.addons.social_crm.providers.types import Token

    App = env['social.crm.app']
    scopes = App._adapter_class('mastodon').scopes_for(['publish', 'metrics'])
    app = App.search([('server', '=', proxy)])
    if not app:
        app = App._for_server('mastodon', server, env.company, scopes)
        app.server = proxy
    token = Token(access_token=token, scopes=('read', 'write'))
    state = env['social.crm.oauth.state'].create(
        {
            'state_hash': uuid.uuid4().hex,
            'secret': 'x',
            'network': 'mastodon',
            'app_id': app.id,
            'user_id': env.uid,
            'company_id': env.company.id,
            'kind': 'brand',
            'capabilities': 'publish metrics',
            'expires_at': '2099-01-01',
        }
    )
    provider = type(app._provider())(app._http(), app._as_app(), token)
    me = provider.whoami()
    for cron in ('receive', 'act', 'deliver', 'measure'):
        env.ref(f'social_crm.ir_cron_{cron}').active = False
    env['ir.config_parameter'].set_param('social_crm.delivery_settle_seconds', '2')
    return env['social.crm.account']._connect_identity(state, app, token, me).id


def publish(env, account_id, texts):
    """Queue a post per text, due now; return the ids of the publications."""
    posts = env['social.crm.post'].create(
        [{'text': text, 'account_ids': [account_id], 'tz': 'UTC'} for text in texts]
    )
    posts.action_submit()
    return posts.publication_ids.ids


def states(env, ids):
    """Return the states, external ids and tries of publications."""
    fields_ = ['delivery_state', 'external_id', 'attempts', 'failure_reason']
    return env['social.crm.publication'].browse(ids).read(fields_)


def hurry(env, ids, dead):
    """Let what waits be due, and the leases of dead workers run out: the test has no minutes."""
    now, past = fields.Datetime.now(), fields.Datetime.now() - timedelta(seconds=1)
    for row in env['social.crm.publication'].browse(ids):
        if dead and row.lease_until:
            row.lease_until = past
        if row.delivery_state in ('unconfirmed', 'queued') and row.next_try:
            row.next_try = now


def cron(env, active):
    """Switch the cron of a real server on or off; return its id."""
    job = env.ref('social_crm.ir_cron_deliver')
    job.write({'active': active, 'nextcall': fields.Datetime.now()})
    return job.id


def spawn(registry):
    """Fork a worker that delivers what is due for some seconds; return its process id."""
    odoo.sql_db.close_all()
    worker = os.fork()
    if worker:
        return worker
    os.setpgid(0, 0)
    code = 1
    try:
        with new_environment(registry) as env:
            from odoo.addons.social_crm.delivery import Courier

            Courier(env['social.crm.delivery.mixin']._delivery_models()).run(40)
        code = 0
    finally:
        os._exit(code)


def in_transaction(registry, function, args):
    """Call a function, again and again while workers get in between."""
    while True:
        try:
            with new_environment(registry) as env:
                return function(env, *args)
        except SerializationFailure:
            continue


def main(database):
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for the dead
    registry = load(database)
    functions = {
        'connect': connect,
        'publish': publish,
        'states': states,
        'hurry': hurry,
        'cron': cron,
    }
    answers = os.fdopen(os.dup(1), 'w')
    os.dup2(2, 1)  # what else is printed does not get between the answers
    print('{}', file=answers, flush=True)
    for line in sys.stdin:
        name, *args = json.loads(line)
        if name == 'spawn':
            answer = spawn(registry)
        else:
            answer = in_transaction(registry, functions[name], args)
        print(json.dumps(answer, default=str), file=answers, flush=True)


if __name__ == '__main__':
    main(sys.argv[1])
