"""Real servers of social networks on this machine, for tests and demos.

    with servers.snac() as server: …            # server.url, server.accounts, server.add_account()
    with servers.mastodon_mock() as server: …

Installed on first use, each start on a free port with fresh data in a folder of its own, ended with
the process that asked. From a shell: `./dev python -m tools.servers snac` prints one line of JSON
and serves until Ctrl-C.
"""

import json
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

from . import configuration, debian, environment, paths
from .processes import Process
from .steps import Failure, once

HOST = 'localhost'
MASTODON_MOCK = '0.6.1'


@dataclass
class Account:
    """A person on a server; `token` is filled by `Snac.token`."""

    login: str
    handle: str
    password: str = ''
    token: str = ''


@dataclass
class Server:
    """A running server."""

    name: str
    url: str
    process: Process
    folder: Path
    accounts: dict[str, Account] = field(default_factory=dict)

    @property
    def log(self):
        return self.process.log

    def describe(self):
        """What a shell or another process needs to know, as JSON can carry it."""
        return {
            'server': self.name,
            'url': self.url,
            'folder': str(self.folder),
            'accounts': [vars(account) for account in self.accounts.values()],
        }

    def call(self, method, path, data=None, token=None, headers=()):
        """One API call; the answer's JSON."""
        body = json.dumps(data).encode() if data is not None else None
        request = urllib.request.Request(self.url + path, body, method=method)
        request.add_header('Content-Type', 'application/json')
        if token:
            request.add_header('Authorization', f'Bearer {token}')
        for name, value in dict(headers).items():
            request.add_header(name, value)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or 'null')


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args, **_kwargs):
        return None


class Snac(Server):
    """snac, an ActivityPub server with Mastodon's API: notes, replies, boosts, direct messages."""

    def command(self, *arguments, answers=''):
        """Run one of snac's own commands on this server's data."""
        command = [str(snac_program()), *arguments]
        done = subprocess.run(
            command, check=False, input=answers, capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            raise Failure(f'{" ".join(command)}\n{done.stdout}{done.stderr}')
        return done.stdout

    def add_account(self, login, name='', biography=''):
        """Create a person; the password is in the answer."""
        output = self.command('adduser', str(self.folder), login, answers=f'{login}\n\n')
        password = re.search(r'^User password is (.+)$', output, re.MULTILINE).group(1)
        file = self.folder / 'user' / login / 'user.json'
        profile = json.loads(file.read_text())
        profile |= {'name': name or login.title(), 'bio': biography}
        file.write_text(json.dumps(profile, indent=4))
        host = self.url.split('://')[1]
        self.accounts[login] = Account(login, f'{login}@{host}', password)
        self.folder.with_suffix('.json').write_text(json.dumps(self.describe()))
        return self.accounts[login]

    def follow(self, login, other):
        """Make one person follow another: a timeline holds only what was followed or addressed."""
        self.command('follow', str(self.folder), login, f'{self.url}/{other}')

    def token(self, login):
        """An access token of this person, through snac's own sign-in form; kept."""
        account = self.accounts[login]
        if not account.token:
            account.token = self._sign_in(account)
        return account.token

    def approve(self, authorize_url, login):
        """Sign in on the consent page that an address leads to; the address it leads back to."""
        asked = parse_qs(urlsplit(authorize_url).query)
        answer = self._submit(
            '/oauth/x-snac-login',
            login=login,
            passwd=self.accounts[login].password,
            redir=asked['redirect_uri'][0],
            cid=asked['client_id'][0],
            state=asked.get('state', [''])[0],
        )
        return answer.headers['Location']

    def _sign_in(self, account):
        back = 'http://127.0.0.1/back'
        application = {'client_name': 'tools', 'redirect_uris': back, 'scopes': 'read write'}
        client = self.call('POST', '/api/v1/apps', application)
        asked = urlencode({'client_id': client['client_id'], 'redirect_uri': back})
        answer = self.approve(f'{self.url}/oauth/authorize?{asked}', account.login)
        code = parse_qs(urlsplit(answer).query)['code'][0]
        answer = self._submit(
            '/oauth/token',
            grant_type='authorization_code',
            client_id=client['client_id'],
            client_secret=client['client_secret'],
            redirect_uri=back,
            code=code,
        )
        return json.loads(answer.read())['access_token']

    def _submit(self, path, **values):
        """Post a form without following where it leads."""
        opener = urllib.request.build_opener(_NoRedirect)
        try:
            return opener.open(self.url + path, urlencode(values).encode(), timeout=20)
        except urllib.error.HTTPError as error:
            if 300 <= error.code < 400:
                return error
            raise

    def note(self, login, text, **values):
        """Let a person write: `visibility`, `in_reply_to_id`, `language` as in Mastodon's API."""
        token = self.token(login)
        return self.call('POST', '/api/v1/statuses', {'status': text, **values}, token)


def snac_program():
    """Path of the program snac, installed on first use."""
    root = paths.HOME / 'snac'

    def install():
        shutil.rmtree(root, ignore_errors=True)
        debian.unpack(['snac2'], root, ['trixie'])

    paths.prepare_home()
    once('snac', 'trixie-1', 'installing snac, a small fediverse server', install)
    if not debian.has_library('libcurl.so.4'):
        debian.install('libcurl4', why='libcurl, which snac needs')
    return root / 'usr/bin/snac'


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def start_snac(folder, port=0, people=('brand', 'customer')):
    """Start snac on data in `folder`, made if it is not there; stop it with `.process.stop()`."""
    program = snac_program()
    port = port or configuration.free_port()
    folder = Path(folder)
    url = f'http://{HOST}:{port}'
    fresh = not (folder / 'server.json').exists()
    if fresh:
        shutil.rmtree(folder, ignore_errors=True)
        folder.parent.mkdir(parents=True, exist_ok=True)
        answers = f'127.0.0.1\n{port}\n{HOST}:{port}\n\n\n'
        subprocess.run(
            [program, 'init', folder], check=True, input=answers, text=True, capture_output=True
        )
        file = folder / 'server.json'
        settings = json.loads(file.read_text())
        settings |= {
            'protocol': 'http',
            'cssurls': [],
            'num_threads': 16,
            'disable_email_notifications': True,
            'queue_retry_minutes': 1,
            'queue_retry_max': 2,
            'badlogin_retries': 1000,
        }
        file.write_text(json.dumps(settings, indent=1))
    process = Process([program, 'httpd', folder], folder.with_suffix('.log'))
    server = Snac('snac', url, process, folder)
    process.wait_until(lambda: _answers(f'{url}/api/v1/instance'), 20, 'snac')
    saved = folder.with_suffix('.json')
    if fresh:
        for login in people:
            server.add_account(login)
        for login in people:
            for other in people:
                if login != other:
                    server.follow(login, other)
    elif saved.exists():
        for values in json.loads(saved.read_text())['accounts']:
            server.accounts[values['login']] = Account(**values)
    return server


def forget_snac(folder):
    """Delete the data of a snac that does not run."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.with_suffix('.json').unlink(missing_ok=True)


@contextmanager
def _own_folder(name):
    folder = Path(tempfile.mkdtemp(prefix=f'social_crm-{name}-'))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def snac(people=('brand', 'customer')):
    """Give a snac with fresh data."""
    with _own_folder('snac') as folder:
        server = start_snac(folder / 'data', people=people)
        try:
            yield server
        finally:
            server.process.stop()


def _install_mastodon_mock():
    folder = paths.HOME / 'mastodon-mock'
    constraints = paths.REQUIREMENTS / 'mastodon-mock.txt'

    def install():
        environment.new_venv(folder)
        environment.pip(folder, 'install', '-c', constraints, f'mastodon_mock=={MASTODON_MOCK}')

    if sys.version_info < (3, 11):
        raise Failure('mastodon_mock needs Python 3.11: start ./dev with it.')
    paths.prepare_home()
    content = paths.digest(constraints, MASTODON_MOCK, sys.version)
    once('mastodon-mock', content, "installing a mock of Mastodon's API", install)
    return folder / 'bin/mastodon_mock'


@contextmanager
def mastodon_mock(people=('brand', 'customer'), rate_limit=3000):
    """Give a mock of Mastodon's API: rate limits and faults (POST /api/v1/_mock/faults).

    It asks for no password and checks neither PKCE nor client secrets: no proof about OAuth.
    """
    program = _install_mastodon_mock()
    port = configuration.free_port()
    url = f'http://{HOST}:{port}'
    with _own_folder('mastodon-mock') as folder:
        settings = folder / 'config.toml'
        accounts = ''.join(
            f'[[seed.accounts]]\nusername = "{login}"\ndisplay_name = "{login.title()}"\n'
            for login in people
        )
        settings.write_text(
            f'domain = "{HOST}:{port}"\nurl_scheme = "http"\n[auth]\nenforce_scopes = true\n'
            f'[ratelimit]\nenabled = true\nlimit = {rate_limit}\nwindow_seconds = 300\n{accounts}'
        )
        command = [program, 'serve', '--config', settings, '--in-memory', '--host', '127.0.0.1']
        command += ['--port', str(port), '--log-level', 'warning']
        process = Process(command, folder / 'server.log')
        server = Server('mastodon_mock', url, process, folder)
        server.accounts = {login: Account(login, f'{login}@{HOST}:{port}') for login in people}
        try:
            process.wait_until(lambda: _answers(f'{url}/api/v1/instance'), 30, 'mastodon_mock')
            yield server
        finally:
            process.stop()


#: Every server that can be asked for by name.
SERVERS = {'snac': snac, 'mastodon_mock': mastodon_mock}


def main(name):
    """Serve until SIGTERM, SIGINT or the end of standard input's owner."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with SERVERS[name]() as server:
        print(json.dumps(server.describe()), flush=True)
        try:
            signal.pause()
        except KeyboardInterrupt:
            return


if __name__ == '__main__':
    if len(sys.argv) != 2 or sys.argv[1] not in SERVERS:
        sys.exit(f'usage: python -m tools.servers {"|".join(SERVERS)}')
    main(sys.argv[1])
