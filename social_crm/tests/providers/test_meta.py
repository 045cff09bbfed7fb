"""What Facebook, Instagram and Threads share: errors by code, limits, signatures."""

import json
from datetime import datetime, timedelta, timezone

import pytest

from social_crm.providers import meta
from social_crm.providers.answers import Answer
from social_crm.providers.errors import (
    AuthorizationLost,
    Duplicate,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    RateLimited,
    Rejected,
    Transient,
)
from social_crm.providers.types import App

SECRET = '0123456789abcdef0123456789abcdef'
APP = App('1', SECRET)
FEED = (
    rb'{"object":"page","entry":[{"id":"1","time":1700000000,"changes":[{"field":"feed",'
    rb'"value":{"message":"caf\u00e9 https:\/\/a.be"}}]}]}'
)
FEED_SIGNATURE = 'sha256=997fe9f649813486afd812f6f41380a74ba7479789d4b5cf8a168775ff0feaa6'
SIGNED = (
    'Z1xOb9Q159XUTFDJSk7ls-HOwCGK34QnCq4priV8mJs.eyJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3Vl'
    'ZF9hdCI6MTcwMDAwMDAwMCwidXNlcl9pZCI6IjIxODQ3MSJ9'
)


def error_of(code, subcode=None, status=400, writes=False, headers=None, **values):
    error = {'message': 'said so', 'type': 'OAuthException', 'code': code, **values}
    if subcode:
        error['error_subcode'] = subcode
    body = json.dumps({'error': error}).encode()
    return meta.graph_error(Answer(status, headers or {}, body, 'https://h/'), writes)


@pytest.mark.parametrize(
    ('code', 'subcode', 'kind'),
    [
        (190, None, AuthorizationLost),
        (190, 463, AuthorizationLost),
        (102, 467, AuthorizationLost),
        (190, 2069032, AuthorizationLost),
        (10, None, PermissionMissing),
        (200, None, PermissionMissing),
        (283, None, PermissionMissing),
        (299, None, PermissionMissing),
        (3, None, PermissionMissing),
        (10, 2018278, Rejected),
        (10, 2534022, Rejected),
        (551, None, Rejected),
        (4, None, RateLimited),
        (17, None, RateLimited),
        (32, None, RateLimited),
        (613, None, RateLimited),
        (80001, None, RateLimited),
        (80005, None, RateLimited),
        (9, 2207042, RateLimited),
        (613, 2534040, RateLimited),
        (368, 1390008, RateLimited),
        (4, 2207051, RateLimited),
        (1, None, Transient),
        (2, None, Transient),
        (100, 1609010, Transient),
        (9007, 2207027, Transient),
        (-2, 2207003, Transient),
        (24, 2207006, Transient),
        (100, 33, NotFound),
        (100, 2018001, NotFound),
        (803, None, NotFound),
        (24, None, NotFound),
        (506, None, Duplicate),
        (368, 1404082, Duplicate),
        (100, 1366051, Duplicate),
        (100, None, Rejected),
        (100, 1366046, Rejected),
        (12, None, Rejected),
        (1705, None, Rejected),
        (36003, 2207009, Rejected),
        (352, 2207026, Rejected),
        (1, 99999, Rejected),
    ],
)
def test_codes_become_errors_by_intent(code, subcode, kind):
    error = error_of(code, subcode)
    assert type(error) is kind
    assert error.code == (f'{code}.{subcode}' if subcode else str(code))
    assert error.reason == 'said so'


@pytest.mark.parametrize(
    ('code', 'subcode', 'kind'),
    [
        (1, None, OutcomeUnknown),
        (2, None, OutcomeUnknown),
        (-2, 2207003, OutcomeUnknown),
        (9007, 2207027, Transient),
        (4, None, RateLimited),
        (368, 1390008, Rejected),
        (4, 2207051, Rejected),
        (24, 2207050, Rejected),
        (190, 460, AuthorizationLost),
    ],
)
def test_a_writing_call_may_have_worked_where_a_reading_one_is_repeated(code, subcode, kind):
    assert type(error_of(code, subcode, writes=True)) is kind


def test_what_the_network_calls_transient_is():
    assert type(error_of(100, 5, is_transient=True)) is Transient
    assert type(error_of(100, 5, is_transient=True, writes=True)) is OutcomeUnknown
    assert type(error_of(190, 463, is_transient=True)) is AuthorizationLost
    assert type(error_of(100, status=500)) is Transient


def test_an_error_body_counts_whatever_the_status():
    assert type(error_of(100, 33, status=200)) is NotFound


def test_the_words_for_people_go_first():
    assert error_of(100, error_user_msg='Pick another picture').reason == 'Pick another picture'


@pytest.mark.parametrize('body', ['{"error": "x"}', '{"error": {"code": "no"}}', '[]', 'null', ''])
def test_other_bodies_count_by_their_status(body):
    for status, kind in ((401, AuthorizationLost), (503, Transient), (422, Rejected)):
        answer = Answer(status, {}, body.encode(), 'https://h/')
        assert type(meta.graph_error(answer, False)) is kind
    assert meta.graph_error(Answer(200, {}, body.encode(), 'https://h/'), False) is None


def test_the_login_of_instagram_words_its_errors_flatly():
    body = {'error_type': 'OAuthException', 'code': 400, 'error_message': 'Invalid code'}
    error = meta.graph_error(Answer(400, {}, json.dumps(body).encode(), 'https://h/'), True)
    assert (type(error), error.reason) == (Rejected, 'Invalid code')


def test_a_throttle_says_when_it_ends():
    usage = {
        '1001': [
            {
                'type': 'pages',
                'call_count': 100,
                'total_time': 3,
                'estimated_time_to_regain_access': 19,
            }
        ]
    }
    error = error_of(80001, headers={'X-Business-Use-Case-Usage': json.dumps(usage)})
    in_19_minutes = datetime.now(timezone.utc) + timedelta(minutes=19)
    assert abs(error.until - in_19_minutes) < timedelta(seconds=5)


def test_usage_is_told_in_percent():
    headers = {'X-App-Usage': '{"call_count":28,"total_time":12,"total_cputime":9}'}
    limit = meta.usage_limit(headers)
    assert (limit.limit, limit.remaining, limit.reset) == (100, 72, None)


@pytest.mark.parametrize('text', ['', '{', '[]', '{"a": [1]}', '{"call_count": "x"}', '[' * 9999])
def test_usage_that_cannot_be_read_says_nothing(text):
    assert meta.usage_limit({'X-App-Usage': text}) is None


# --- signatures -----------------------------------------------------------------------------------


def test_appsecret_proof():
    proof = meta.appsecret_proof(SECRET, 'EAATESTTOKEN')
    assert proof == '99cbac345910084e738e780a0d5a02f2421ea86e53d6f64eff41e367a76944c6'


def test_a_push_is_checked_over_its_raw_bytes():
    meta.verify_webhook(APP, {'x-hub-signature-256': FEED_SIGNATURE}, FEED)
    for headers, body in (
        ({}, FEED),
        ({'x-hub-signature-256': FEED_SIGNATURE}, FEED.replace(rb'\/', b'/')),
        ({'x-hub-signature-256': 'sha256=é'}, FEED),
    ):
        with pytest.raises(Rejected, match='signature'):
            meta.verify_webhook(APP, headers, body)
    with pytest.raises(Rejected):
        meta.verify_webhook(App('1'), {'x-hub-signature-256': FEED_SIGNATURE}, FEED)


def test_the_other_secret_of_the_app_signs_too():
    app = App('2', 'instagram-secret', metadata={'meta_app_secret': SECRET})
    meta.verify_webhook(app, {'x-hub-signature-256': FEED_SIGNATURE}, FEED)


def test_the_handshake_wants_our_word():
    app = App('1', SECRET, verify_token='open sesame')
    params = {'hub.mode': 'subscribe', 'hub.verify_token': 'open sesame', 'hub.challenge': '115'}
    assert meta.answer_handshake(app, params) == '115'
    for wrong in ({'hub.verify_token': 'x'}, {'hub.verify_token': 'é'}, {'hub.mode': 'x'}):
        with pytest.raises(Rejected):
            meta.answer_handshake(app, {**params, **wrong})
    with pytest.raises(Rejected):
        meta.answer_handshake(App('1', SECRET), {**params, 'hub.verify_token': ''})


def test_a_signed_request_names_the_person():
    assert meta.parse_signed_request(APP, SIGNED)['user_id'] == '218471'


@pytest.mark.parametrize(
    'text',
    ['', '.', 'x', 'é.é', SIGNED[1:], SIGNED[:-2], SIGNED.replace('.', '..'), f'{SIGNED}.x', 'a.a'],
)
def test_a_signed_request_of_somebody_else_is_refused(text):
    with pytest.raises(Rejected):
        meta.parse_signed_request(APP, text)


def test_a_signed_request_without_a_secret_is_refused():
    with pytest.raises(Rejected):
        meta.parse_signed_request(App('1'), SIGNED)


# --- pieces ---------------------------------------------------------------------------------------


def test_times():
    wanted = datetime(2026, 8, 7, 12, 34, 56, tzinfo=timezone.utc)
    for value in (
        '2026-08-07T12:34:56+0000',
        '2026-08-07T14:34:56+0200',
        1786106096,
        1786106096000,
        '1786106096',
    ):
        assert meta.parse_time(value) == wanted
    for value in (None, True, '', 'yesterday', '5', [], 10**20):
        with pytest.raises(ValueError, match='time'):
            meta.parse_time(value)


def test_the_version_is_alive():
    assert datetime.now(timezone.utc).date() < meta.GRAPH_VERSION_ENDS, 'move to a newer version'
    assert meta.FACEBOOK_GRAPH.endswith(meta.GRAPH_VERSION)
