"""What a person types for a server, and what a server says about itself."""

import pytest

from social_crm.providers.errors import Rejected, Transient
from social_crm.providers.mastodon import Mastodon
from social_crm.providers.mastodon_servers import read_limits
from social_crm.providers.types import App
from social_crm.tests.providers.fake_mastodon import DIALECTS, SERVER, FakeMastodon


@pytest.mark.parametrize(
    ('typed', 'server'),
    [
        ('hub.example', 'https://hub.example'),
        (' Hub.Example ', 'https://hub.example'),
        ('hub.example/', 'https://hub.example'),
        ('hub.example.', 'https://hub.example'),
        ('https://hub.example', 'https://hub.example'),
        ('HTTPS://hub.example/@acme/123?x=1#y', 'https://hub.example'),
        ('https://hub.example:443/', 'https://hub.example'),
        ('https://hub.example:8443/', 'https://hub.example:8443'),
        ('@acme@hub.example', 'https://hub.example'),
        ('acme@hub.example', 'https://hub.example'),
        ('bücher.example', 'https://xn--bcher-kva.example'),
        ('@käthe@bücher.example', 'https://xn--bcher-kva.example'),
        ('http://localhost:2690', 'http://localhost:2690'),
        ('http://127.0.0.1:2690/', 'http://127.0.0.1:2690'),
        ('localhost:2690', 'https://localhost:2690'),
        ('faß.example', 'https://xn--fa-hia.example'),
    ],
)
def test_servers(typed, server):
    assert Mastodon.normalise_server(typed) == server


@pytest.mark.parametrize(
    ('typed', 'code'),
    [
        ('', 'empty'),
        ('  ', 'empty'),
        ('https://', 'host'),
        ('ftp://hub.example', 'scheme'),
        ('javascript://hub.example', 'scheme'),
        ('file:///etc/passwd', 'scheme'),
        ('https://user:pw@hub.example', 'userinfo'),
        ('https://user@hub.example', 'userinfo'),
        ('hub', 'host'),
        ('@acme', 'userinfo'),
        ('two words', 'host'),
        ('10.0.0.1', 'host'),
        ('https://8.8.8.8', 'host'),
        ('https://[::1]/', 'host'),
        ('0x7f.1', 'host'),
        ('2130706433', 'host'),
        ('https://hub.example:99999', 'url'),
        ('https://[broken', 'url'),
        ('a..example', 'host'),
        ('-x-.example', 'host'),
        ('x' * 64 + '.example', 'host'),
        ('a.' * 200 + 'example', 'host'),
        ('hub.example\\@evil.example', 'userinfo'),
        ('hub.exam ple', 'host'),
        ('hub_under.example', 'host'),
    ],
)
def test_no_servers(typed, code):
    with pytest.raises(Rejected) as caught:
        Mastodon.normalise_server(typed)
    assert caught.value.code == code


@pytest.mark.parametrize('dialect', DIALECTS)
def test_discovery(http, stubs, spec, dialect):
    FakeMastodon(stubs, dialect, spec)
    app = Mastodon(http).discover(SERVER)
    assert app.server == SERVER
    assert app.metadata['software'] == dialect
    assert app.metadata['domain'] == 'hub.example'
    assert app.metadata['endpoints']['token'] == f'{SERVER}/oauth/token'
    assert app.metadata['endpoints']['authorize'] == f'{SERVER}/oauth/authorize'
    assert app.metadata['endpoints']['register'] == f'{SERVER}/api/v1/apps'
    assert app.metadata['limits']['text'] == 5000
    assert app.client_id == ''
    assert ('app_per_account' in app.metadata) == (dialect == 'snac')


INSTANCE = {'domain': 'example.com', 'version': '4.5.0', 'title': 'T'}


def test_the_web_host_behind_an_account_domain_by_redirect(http, stubs):
    """Accounts are called @user@example.com, the server is social.example.com."""
    stubs.get(
        'https://example.com/api/v2/instance',
        status=301,
        headers={'Location': 'https://social.example.com/api/v2/instance'},
    )
    stubs.get('https://social.example.com/api/v2/instance', json=INSTANCE)
    stubs.get('https://social.example.com/.well-known/oauth-authorization-server', status=404)
    stubs.get('https://social.example.com/.well-known/nodeinfo', status=404)
    app = Mastodon(http).discover('https://example.com')
    assert app.server == 'https://social.example.com'
    assert app.metadata['domain'] == 'example.com'
    assert app.metadata['software'] == 'mastodon'
    assert app.metadata['endpoints']['token'] == 'https://social.example.com/oauth/token'


def test_the_web_host_behind_an_account_domain_by_host_meta(http, stubs):
    stubs.get('https://example.com/api/v2/instance', status=404)
    stubs.get('https://example.com/api/v1/instance', body='<html>a shop</html>')
    stubs.get(
        'https://example.com/.well-known/host-meta',
        body=(
            '<XRD><Link rel="lrdd" '
            'template="https://social.example.org/.well-known/webfinger?resource={uri}"/></XRD>'
        ),
    )
    stubs.get('https://social.example.org/api/v2/instance', json=INSTANCE)
    stubs.get('https://social.example.org/.well-known/oauth-authorization-server', status=404)
    stubs.get('https://social.example.org/.well-known/nodeinfo', body='x')
    assert Mastodon(http).discover('https://example.com').server == 'https://social.example.org'


@pytest.mark.parametrize(
    'template',
    [
        'https://127.0.0.1',
        'http://evil.example',
        'https://u@evil.example',
        'https://evil.example:22',
        'https://example.com',
        'x',
    ],
)
def test_a_host_meta_that_leads_astray(http, stubs, template):
    for version in ('v1', 'v2'):
        stubs.get(f'https://example.com/api/{version}/instance', status=404)
    stubs.get(
        'https://example.com/.well-known/host-meta',
        body=(f'<Link rel="lrdd" template="{template}/.well-known/webfinger?resource={{uri}}"/>'),
    )
    with pytest.raises(Rejected):
        Mastodon(http).discover('https://example.com')


def test_a_site_that_is_no_fediverse_server(http, stubs):
    for path in ('/api/v2/instance', '/api/v1/instance', '/.well-known/host-meta'):
        stubs.get(f'https://example.com{path}', body='<html>a shop</html>')
    with pytest.raises(Rejected) as caught:
        Mastodon(http).discover('https://example.com')
    assert caught.value.code == 'not_fediverse'


def test_a_server_that_is_down_is_no_refusal(http, stubs):
    stubs.get('https://example.com/api/v2/instance', status=502)
    with pytest.raises(Transient):
        Mastodon(http).discover('https://example.com')


def test_endpoints_of_another_server_are_refused(http, stubs):
    stubs.get('https://example.com/api/v2/instance', json=INSTANCE)
    stubs.get(
        'https://example.com/.well-known/oauth-authorization-server',
        json={'token_endpoint': 'https://evil.example/token'},
    )
    with pytest.raises(Rejected) as caught:
        Mastodon(http).discover('https://example.com')
    assert caught.value.code == 'mix_up'


@pytest.mark.parametrize(
    'index',
    [
        {'links': [{'rel': 'nodeinfo', 'href': 'https://evil.example/x'}]},
        {'links': [{}]},
        {'links': None},
        {},
        [],
    ],
)
def test_nodeinfo_is_not_followed_elsewhere(http, stubs, index):
    stubs.get(
        'https://example.com/api/v2/instance',
        json={**INSTANCE, 'version': '2.7.2 (compatible; Akkoma 3)'},
    )
    stubs.get('https://example.com/.well-known/oauth-authorization-server', status=404)
    stubs.get('https://example.com/.well-known/nodeinfo', json=index)
    assert Mastodon(http).discover('https://example.com').metadata['software'] == 'akkoma'


@pytest.mark.parametrize(
    ('instance', 'limits'),
    [
        ({}, {'text': 500, 'url': 23, 'media': 4}),
        ({'max_toot_chars': 7777}, {'text': 7777, 'url': 23, 'media': 4}),
        ({'configuration': None}, {'text': 500, 'url': 23, 'media': 4}),
        (
            {'configuration': {'statuses': {'max_characters': 'many'}}},
            {'text': 500, 'url': 23, 'media': 4},
        ),
        (
            {'configuration': {'statuses': {'max_characters': 0}, 'media_attachments': []}},
            {'text': 500, 'url': 23, 'media': 4},
        ),
        (
            {'configuration': {'media_attachments': {'supported_mime_types': ['a/b', 3]}}},
            {'text': 500, 'url': 23, 'media': 4, 'types': ['a/b']},
        ),
    ],
)
def test_limits_of_odd_instances(instance, limits):
    assert read_limits(instance) == limits


def test_a_registration_that_is_refused(http, stubs):
    app = App(server=SERVER, redirect_uri='x', scopes=('read',))
    stubs.post(f'{SERVER}/api/v1/apps', status=422, json={'error': 'Validation failed: Redirect'})
    with pytest.raises(Rejected) as caught:
        Mastodon(http, app).register(app, name='n', website='')
    assert caught.value.reason == 'Validation failed: Redirect'


@pytest.mark.parametrize('answer', [{'json': {}}, {'body': '<html>'}, {'json': []}])
def test_a_registration_without_an_answer(http, stubs, answer):
    app = App(server=SERVER, redirect_uri='x', scopes=('read',))
    stubs.post(f'{SERVER}/api/v1/apps', **answer)
    with pytest.raises(Transient):
        Mastodon(http, app).register(app, name='n', website='')
