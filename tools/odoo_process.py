"""A real Odoo server in a process of its own, for end-to-end tests and benchmarks.

    with database.clone() as name, odoo_process.start(name) as odoo:
        …                    # odoo.url, odoo.log, odoo.kill(), odoo.restart()

Cron threads work as in production; SIGKILL by `kill()` is how a crash looks.
"""

import contextlib
import json
import urllib.request

from . import configuration, database, paths
from .processes import Process

#: Sign-in of the administrator in databases that we made.
LOGIN, PASSWORD = 'admin', 'admin'


class OdooProcess:
    """An Odoo server on one database and a free port, ended with this process at the latest."""

    def __init__(self, name, *, port=0, workers=0, crons=2, options=None, arguments=()):
        self.database = name
        self.port = port or configuration.free_port()
        self.url = f'http://127.0.0.1:{self.port}'
        self.log = paths.LOGS / f'{name}-{self.port}.log'
        self.config = configuration.write(
            f'server-{self.port}',
            db_name=name,
            dbfilter=f'^{name}$',
            http_port=self.port,
            # With workers the websocket has a port of its own.
            gevent_port=configuration.free_port() if workers else self.port,
            workers=workers,
            max_cron_threads=crons,
            **(options or {}),
        )
        self.arguments = arguments
        self.process = None

    def start(self, timeout=90):
        """Start the server and wait until it answers."""
        self.log.unlink(missing_ok=True)
        # Where networks send people back to.
        query = "UPDATE ir_config_parameter SET value = '{}' WHERE key = 'web.base.url'"
        database.psql(query.format(self.url), self.database)
        command = [*configuration.command(), '--config', self.config, *self.arguments]
        variables = configuration.environment_variables()
        self.process = Process(command, self.log, env=variables, cwd=paths.CHECKOUT)
        self.process.wait_until(self.is_ready, timeout, f'Odoo on {self.url}')
        return self

    def is_ready(self):
        """Tell whether it serves a page; the first one waits for the registry."""
        try:
            with urllib.request.urlopen(f'{self.url}/web/login', timeout=60) as answer:
                return answer.status == 200
        except OSError:
            return False

    @property
    def pid(self):
        return self.process.pid

    def kill(self):
        """End it at once (SIGKILL to all its processes), as a crash would."""
        self.process.kill()

    def stop(self):
        """End it as an administrator would."""
        if self.process:
            self.process.stop()

    def restart(self):
        """Start again on the same port."""
        self.stop()
        return self.start()

    def call(self, model, method, *args, **kwargs):
        """Call a model's public method as the administrator."""
        params = {'model': model, 'method': method, 'args': args, 'kwargs': kwargs}
        return self._post(self._session(), '/web/dataset/call_kw', params)

    def open(self, url):
        """Open an address as the administrator's browser would; give the answer."""
        return self._session().open(url, timeout=60)

    def _session(self):
        """Give an opener that is signed in as the administrator."""
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        params = {'db': self.database, 'login': LOGIN, 'password': PASSWORD}
        self._post(opener, '/web/session/authenticate', params)
        return opener

    def _post(self, opener, path, params):
        body = json.dumps({'jsonrpc': '2.0', 'method': 'call', 'params': params}).encode()
        request = urllib.request.Request(self.url + path, body)
        request.add_header('Content-Type', 'application/json')
        with opener.open(request, timeout=120) as answer:
            result = json.load(answer)
        if 'error' in result:
            raise RuntimeError(result['error']['data']['debug'])
        return result.get('result')  # a method that returns nothing sends none


@contextlib.contextmanager
def start(name, **kwargs):
    """Give a running server; the log stays for reading, the configuration does not."""
    server = OdooProcess(name, **kwargs)
    try:
        yield server.start()
    finally:
        server.stop()
        server.config.unlink(missing_ok=True)
