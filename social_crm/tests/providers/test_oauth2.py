"""The shared pieces of OAuth 2."""

import base64
import hashlib
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from social_crm.providers import oauth2
from social_crm.providers.errors import (
    AuthorizationLost,
    OutcomeUnknown,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)
from social_crm.providers.types import Token

SERVER = 'https://hub.example'
TOKEN_URL = f'{SERVER}/oauth/token'


def ask(http, **params):
    return oauth2.request_token(
        http,
        TOKEN_URL,
        grant_type='authorization_code',
        client_id='id-1',
        client_secret='client-secret-1',
        **params,
    )


# --- PKCE and the browser's part -----------------------------------------------------------------


def test_verifiers_are_long_fresh_and_allowed():
    verifiers = {oauth2.new_verifier() for _ in range(50)}
    assert len(verifiers) == 50
    assert all(43 <= len(v) <= 128 and v.isascii() for v in verifiers)


def test_the_challenge_is_s256():
    # RFC 7636, appendix B
    verifier = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
    assert oauth2.challenge_of(verifier) == 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
    digest = hashlib.sha256(verifier.encode()).digest()
    assert base64.urlsafe_b64decode(oauth2.challenge_of(verifier) + '=') == digest


def test_the_authorize_url():
    url = oauth2.authorize_url(
        'https://h.example/authorize?keep=1',
        client_id='id&1',
        redirect_uri='https://odoo.example/cb?a=b&c=ü',
        scopes=('read', 'write:x'),
        state='s+/=',
        challenge='ch',
        extra={'force_login': 'true'},
    )
    query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    assert query == {
        'keep': '1',
        'response_type': 'code',
        'client_id': 'id&1',
        'redirect_uri': 'https://odoo.example/cb?a=b&c=ü',
        'scope': 'read write:x',
        'state': 's+/=',
        'code_challenge': 'ch',
        'code_challenge_method': 'S256',
        'force_login': 'true',
    }


def test_a_network_without_pkce_and_with_commas():
    url = oauth2.authorize_url(
        f'{SERVER}/a', client_id='1', redirect_uri='x', scopes=('a', 'b'), state='s', separator=','
    )
    assert 'code_challenge' not in url
    assert parse_qs(urlsplit(url).query)['scope'] == ['a,b']


@pytest.mark.parametrize(
    ('params', 'code'),
    [
        ({'error': 'access_denied', 'error_description': 'The person said no'}, 'access_denied'),
        ({'error': 'x' * 500}, 'x' * 60),
        ({}, 'no_code'),
        ({'code': ''}, 'no_code'),
    ],
)
def test_a_callback_that_says_no(params, code):
    error = oauth2.callback_error(params)
    assert isinstance(error, Rejected)
    assert error.code == code


def test_a_callback_that_says_yes():
    assert oauth2.callback_error({'code': 'c', 'state': 's'}) is None


# --- the token endpoint --------------------------------------------------------------------------


def test_client_and_code_go_into_the_body(http, stubs):
    stubs.post(TOKEN_URL, json={'access_token': 't'})
    ask(http, code='c 1', code_verifier='v', redirect_uri='https://o.example/', scope='')
    request = stubs.calls[0].request
    assert parse_qs(request.body) == {
        'grant_type': ['authorization_code'],
        'client_id': ['id-1'],
        'client_secret': ['client-secret-1'],
        'code': ['c 1'],
        'code_verifier': ['v'],
        'redirect_uri': ['https://o.example/'],
    }
    assert 'Authorization' not in request.headers


def test_basic_keeps_the_secret_out_of_the_body(http, stubs):
    stubs.post(TOKEN_URL, json={'access_token': 't'})
    ask(http, code='c', basic=True)
    request = stubs.calls[0].request
    assert 'client-secret-1' not in request.body
    assert request.headers['Authorization'].startswith('Basic ')


@pytest.mark.parametrize(
    ('status', 'body', 'kind', 'code'),
    [
        (
            400,
            {'error': 'invalid_grant', 'error_description': 'x'},
            AuthorizationLost,
            'invalid_grant',
        ),
        (401, {'error': 'invalid_client'}, Rejected, 'invalid_client'),
        (400, {'error': 'invalid_scope'}, Rejected, 'invalid_scope'),
        (400, {'error': 'Something in words'}, Rejected, '400'),
        (200, {'error': 'invalid_grant'}, AuthorizationLost, 'invalid_grant'),
        (401, {}, Rejected, '401'),
        (429, {}, RateLimited, '429'),
        (500, {'error': 'server_error'}, OutcomeUnknown, '500'),
        (503, {}, OutcomeUnknown, '503'),
        (200, [], OutcomeUnknown, 'bad_answer'),
        (302, {}, OutcomeUnknown, '302'),
    ],
)
def test_refusals(http, stubs, status, body, kind, code):
    stubs.post(TOKEN_URL, json=body, status=status)
    with pytest.raises(kind) as caught:
        ask(http, code='c')
    assert (type(caught.value), caught.value.code) == (kind, code)


def test_no_secret_in_a_refusal(http, stubs):
    said = 'code my-code-99 of client-secret-1 with my-verifier-99 is bad'
    stubs.post(TOKEN_URL, json={'error': 'invalid_grant', 'error_description': said}, status=400)
    with pytest.raises(ProviderError) as caught:
        ask(http, code='my-code-99', code_verifier='my-verifier-99')
    assert caught.value.reason == 'code *** of *** with *** is bad'
    assert '99' not in str(caught.value)


def test_a_lost_answer_may_have_used_up_the_code(http, stubs):
    stubs.post(TOKEN_URL, body=requests.ReadTimeout('x'))
    with pytest.raises(OutcomeUnknown):
        ask(http, code='c')


@pytest.mark.parametrize(
    ('given', 'scopes'),
    [
        ('read write', ('read', 'write')),
        ('read,write', ('read', 'write')),
        ('read, write', ('read', 'write')),
        ('read+write', ('read', 'write')),
        (['read', 'write', 3], ('read', 'write')),
        ('read read', ('read',)),
        ('', None),
        ([], None),
        (None, None),
        (7, None),
    ],
)
def test_scopes_in_all_forms(given, scopes):
    assert oauth2.read_token({'access_token': 't', 'scope': given}).scopes == scopes


@pytest.mark.parametrize(
    ('given', 'seconds'),
    [
        (3600, 3600),
        ('3600', 3600),
        (3600.5, 3600.5),
        (0, None),
        (-5, None),
        ('soon', None),
        (None, None),
        (True, None),
        ([], None),
        (3155760000, None),
        (float('nan'), None),
        (10**400, None),
    ],
)
def test_expiry_in_all_forms(given, seconds):
    expires_at = oauth2.read_token({'access_token': 't', 'expires_in': given}).expires_at
    if seconds is None:
        assert expires_at is None
    else:
        wanted = datetime.now(timezone.utc) + timedelta(seconds=seconds)
        assert abs(expires_at - wanted) < timedelta(seconds=5)
        assert expires_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    'answer',
    [
        {},
        {'access_token': ''},
        {'access_token': None},
        {'access_token': ['x']},
        {'access_token': 'x', 'token_type': 'mac'},
        {'access_token': 'x' * 70000},
    ],
)
def test_answers_without_a_usable_token(answer):
    with pytest.raises(Rejected):
        oauth2.read_token(answer)


def test_tokens_do_not_show_in_their_repr():
    token = oauth2.read_token(
        {'access_token': 'SECRET', 'refresh_token': 'SECRET', 'id': 'SECRET'}, extra=('id',)
    )
    assert 'SECRET' not in repr(token)
    assert token.extra == {'id': 'SECRET'}


# --- refresh and revoke --------------------------------------------------------------------------


def refresh(http, token):
    return oauth2.refresh(http, TOKEN_URL, token, client_id='id-1', client_secret='cs-1')


def test_refresh_keeps_what_the_answer_leaves_out(http, stubs):
    old = Token('old', 'refresh-1', scopes=('read',), extra={'a': 1})
    stubs.post(TOKEN_URL, json={'access_token': 'new'})
    assert refresh(http, old) == Token('new', 'refresh-1', None, ('read',), {'a': 1})


def test_refresh_rotates(http, stubs):
    stubs.post(
        TOKEN_URL, json={'access_token': 'n', 'refresh_token': 'refresh-2', 'expires_in': 60}
    )
    fresh = refresh(http, Token('old', 'refresh-1'))
    assert fresh.refresh_token == 'refresh-2'
    assert fresh.expires_at
    assert parse_qs(stubs.calls[0].request.body)['refresh_token'] == ['refresh-1']


def test_refresh_of_a_dead_grant(http, stubs):
    stubs.post(TOKEN_URL, json={'error': 'invalid_grant'}, status=400)
    with pytest.raises(AuthorizationLost):
        refresh(http, Token('old', 'refresh-1'))
    with pytest.raises(AuthorizationLost):
        refresh(http, Token('old'))
    assert len(stubs.calls) == 1


@pytest.mark.parametrize(
    ('status', 'body'),
    [
        (200, {}),
        (400, {'error': 'invalid_token'}),
        (401, {}),
        (403, {}),
        (404, {}),
        (403, {'error': 'unauthorized_client'}),
    ],
)
def test_revoke_is_quiet_when_there_is_nothing_left(http, stubs, status, body):
    stubs.post(f'{SERVER}/revoke', json=body, status=status)
    oauth2.revoke(http, f'{SERVER}/revoke', 't', client_id='1', client_secret='cs')


@pytest.mark.parametrize('fault', [503, requests.ReadTimeout('x')])
def test_revoke_says_when_it_has_to_be_repeated(http, stubs, fault):
    if isinstance(fault, int):
        stubs.post(f'{SERVER}/revoke', status=fault)
    else:
        stubs.post(f'{SERVER}/revoke', body=fault)
    with pytest.raises(Transient):
        oauth2.revoke(http, f'{SERVER}/revoke', 't', client_id='1')


# --- discovery -----------------------------------------------------------------------------------

METADATA = f'{SERVER}/.well-known/oauth-authorization-server'


@pytest.mark.parametrize(
    'endpoint', [f'{SERVER}/token', 'https://auth.hub.example/token', f'{SERVER}:443/token']
)
def test_endpoints_of_the_server_or_below_it(http, stubs, endpoint):
    stubs.get(METADATA, json={'token_endpoint': endpoint})
    assert oauth2.discover(http, SERVER)['token_endpoint'] == endpoint


@pytest.mark.parametrize(
    'endpoint',
    [
        'https://evil.example/token',
        'https://evilhub.example/token',
        'http://hub.example/token',
        'https://hub.example.evil.example/',
        'https://hub.example@evil.example/',
        '//hub.example/',
        'https://hub.example:8443/',
        'https://u:p@hub.example/',
        '/token',
        '',
        None,
        7,
        ['x'],
        'https://[::1/token',
    ],
)
def test_endpoints_elsewhere_are_a_mix_up(http, stubs, endpoint):
    stubs.get(METADATA, json={'revocation_endpoint': endpoint})
    with pytest.raises(Rejected) as caught:
        oauth2.discover(http, SERVER)
    assert caught.value.code == 'mix_up'


@pytest.mark.parametrize('answer', [{'status': 404}, {'body': '<html>'}, {'json': []}])
def test_a_server_without_metadata(http, stubs, answer):
    stubs.get(METADATA, **answer)
    assert oauth2.discover(http, SERVER) == {}


def test_trouble_is_no_absence(http, stubs):
    stubs.get(METADATA, status=503)
    with pytest.raises(Transient):
        oauth2.discover(http, SERVER)
