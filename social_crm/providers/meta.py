"""What Facebook, Instagram and Threads share: the version, error codes, limits, signatures.

What Meta posts to the addresses for *deauthorise* and *data deletion* is read by
:func:`parse_signed_request`; the adapters' ``verify_webhook`` and ``parse_webhook`` take such a
form too (see :mod:`.meta_webhooks`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

from .answers import Answer, RateLimit, http_error, network_words, parse_moment, retry_at
from .errors import (
    AuthorizationLost,
    Duplicate,
    NotFound,
    OutcomeUnknown,
    PermissionMissing,
    ProviderError,
    RateLimited,
    Rejected,
    Transient,
)
from .types import App

#: The version of the Graph API that all adapters speak; Threads has its own.
GRAPH_VERSION = 'v26.0'
#: A version lives until two years after its successor; v26.0 is the newest one, and its predecessor
#: ends on this day. Afterwards calls are answered by a newer version, without a word.
GRAPH_VERSION_ENDS = date(2028, 7, 29)

FACEBOOK_GRAPH = f'https://graph.facebook.com/{GRAPH_VERSION}'
INSTAGRAM_GRAPH = f'https://graph.instagram.com/{GRAPH_VERSION}'

# --- errors ---------------------------------------------------------------------------------------

_DEAD = {102, 190}
_LIMITED = {4, 17, 32, 341, 613, *range(80000, 80015)}
_NO_RIGHT = {3, 10, 283, *range(200, 300)}
_GONE = {24, 110, 803}
_UNREACHABLE = {551, 1545041}
_PASSING = {-1, -2, 1, 2}
_BLOCKED = {368}

#: Of writing calls, too, nobody knows what came.
PASSING_SUBCODES = {
    1363047,
    1609010,
    2207001,
    2207003,
    2207032,
    2207052,
    2207053,
    2207077,
    2207082,
}
#: Nothing came of the call: a container that is not ready, or has ended.
_NOT_YET_SUBCODES = {2207006, 2207008, 2207020, 2207027}
_LIMITED_SUBCODES = {2207042, 2534040}
_BLOCKED_SUBCODES = {2207050, 2207051}
_DUPLICATE_SUBCODES = {1366051, 1404082}
_GONE_SUBCODES = {33, 2018001, 2207013, 2534014}
#: Code 10, and yet no right is missing: outside the window for messages, a page under restrictions.
_REFUSED_SUBCODES = {1893063, 2018278, 2534022}
#: How long reading rests when the account is blocked for misuse.
_BLOCK = timedelta(hours=6)


def graph_error(answer: Answer, writes: bool) -> ProviderError | None:
    """Return the error that an answer of the Graph API stands for, ``None`` for none.

    By code and subcode, as the HTTP status says little (throttles come as 400). ``code`` of the
    error is ``'190.463'``, or ``'190'`` without a subcode.
    """
    body = answer.json()
    error = body.get('error') if isinstance(body, dict) else None
    if not isinstance(error, dict) or _number(error.get('code')) is None:
        return _flat_error(answer, body) or http_error(answer, writes)
    code, subcode = _number(error['code']) or 0, _number(error.get('error_subcode')) or 0
    words = network_words(body) or f'Error {code}'
    name = f'{code}.{subcode}' if subcode else str(code)
    limited = code in _LIMITED or subcode in _LIMITED_SUBCODES
    if limited and subcode not in _BLOCKED_SUBCODES:
        return RateLimited(words, name, regain_at(answer.headers))
    if code in _BLOCKED or subcode in _BLOCKED_SUBCODES:
        if subcode in _DUPLICATE_SUBCODES:
            return Duplicate(words, name)
        # To send again at once would lengthen the block: a person has to decide.
        return Rejected(words, name) if writes else RateLimited(words, name, _in(_BLOCK))
    if subcode in _NOT_YET_SUBCODES:
        return Transient(words, name)
    if code not in _DEAD and _is_passing(error, code, subcode, answer.status):
        return (OutcomeUnknown if writes else Transient)(words, name)
    return _lasting(code, subcode)(words, name)


def _is_passing(error: Mapping[str, Any], code: int, subcode: int, status: int) -> bool:
    return (
        error.get('is_transient') is True
        or subcode in PASSING_SUBCODES
        or (code in _PASSING and not subcode)
        or (status >= 500 and code not in _NO_RIGHT)
    )


def _lasting(code: int, subcode: int) -> type[ProviderError]:
    """Return the kind of an error that will not pass by itself."""
    if code in _DEAD:
        return AuthorizationLost
    if subcode in _REFUSED_SUBCODES or code in _UNREACHABLE:
        return Rejected
    if code in _NO_RIGHT:
        return PermissionMissing
    if code == 506 or subcode in _DUPLICATE_SUBCODES:
        return Duplicate
    if code in _GONE or (code == 100 and subcode in _GONE_SUBCODES):
        return NotFound
    return Rejected


def _flat_error(answer: Answer, body: Any) -> ProviderError | None:
    """Return the error in the form of ``api.instagram.com``, which serves the login only."""
    if not isinstance(body, dict) or 'error_message' not in body:
        return None
    if not 400 <= answer.status < 500:  # the state of a container has such a field as well
        return None
    return Rejected(network_words({'message': body['error_message']}), str(body.get('code') or ''))


# --- limits ---------------------------------------------------------------------------------------


def usage_limit(headers: Mapping[str, str]) -> RateLimit | None:
    """Return what the usage headers say, in percent of what is allowed; ``None`` without any."""
    used: list[int] = []
    waits: list[float] = []
    for row in _usages(headers):
        used += [row[name] for name in _SHARES if isinstance(row.get(name), int)]
        if isinstance(row.get('estimated_time_to_regain_access'), (int, float)):
            waits.append(row['estimated_time_to_regain_access'])
    if not used:
        return None
    reset = _in(timedelta(minutes=max(waits))) if waits and 0 < max(waits) < 1e5 else None
    return RateLimit(100, max(0, 100 - max(used)), reset)


def regain_at(headers: Mapping[str, str]) -> datetime | None:
    """Return when to call again after a throttle, ``None`` when the network does not say."""
    limit = usage_limit(headers)
    return limit.reset if limit and limit.reset else retry_at(headers)


_SHARES = ('call_count', 'total_time', 'total_cputime')


def _usages(headers: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for name in ('X-Business-Use-Case-Usage', 'X-App-Usage', 'X-Page-Usage'):
        try:
            value = json.loads(headers.get(name) or 'null')
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            lists = [rows for rows in value.values() if isinstance(rows, list)]
            yield from (row for row in [value, *sum(lists, [])] if isinstance(row, dict))


# --- signatures -----------------------------------------------------------------------------------


def appsecret_proof(secret: str, token: str) -> str:
    """Return the proof, sent with each call, that the caller knows the app's secret."""
    return hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest()


def answer_handshake(app: App, params: Mapping[str, str]) -> str:
    """Return the challenge of a webhook handshake; see :meth:`.Provider.answer_handshake`."""
    given, wanted = params.get('hub.verify_token') or '', app.verify_token
    known = bool(wanted) and hmac.compare_digest(given.encode(), wanted.encode())
    if params.get('hub.mode') != 'subscribe' or not known:
        raise Rejected('The verify token is another one', 'verify_token')
    return params.get('hub.challenge') or ''


def verify_webhook(app: App, headers: Mapping[str, str], body: bytes) -> None:
    """Check ``X-Hub-Signature-256`` over the raw body; see :meth:`.Provider.verify_webhook`."""
    given = headers.get('x-hub-signature-256') or ''
    for secret in _secrets(app):
        made = 'sha256=' + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        if hmac.compare_digest(given.encode(), made.encode()):
            return
    raise Rejected('The signature does not fit', 'signature')


def parse_signed_request(app: App, signed_request: str) -> dict[str, Any]:
    """Return what Meta posts to the addresses for *deauthorise* and *data deletion*.

    :param signed_request: the form field of that name
    :return: with ``user_id``, the person's id as this app knows it
    :raise Rejected: when it was not signed with the app's secret, or holds no person
    """
    signature, _, payload = signed_request.partition('.')
    try:
        given, body = _unbase64(signature), _unbase64(payload)
        data = json.loads(body)
    except (ValueError, RecursionError, binascii.Error):
        raise Rejected('Not a signed request', 'signature') from None
    if not isinstance(data, dict) or str(data.get('algorithm')).upper() != 'HMAC-SHA256':
        raise Rejected('Not a signed request', 'signature')
    for secret in _secrets(app):
        made = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
        if hmac.compare_digest(given, made):
            break
    else:
        raise Rejected('The signature does not fit', 'signature')
    if not data.get('user_id') or not isinstance(data['user_id'], (str, int)):
        raise Rejected('The signed request names nobody', 'user_id')
    return {**data, 'user_id': str(data['user_id'])}


def _secrets(app: App) -> list[str]:
    """Return the secrets that a signature may be made with.

    Instagram's own login has a secret of its own, and it is not sure that all pushes use it:
    ``webhook_secret`` may hold the other one (so may ``metadata['meta_app_secret']``).
    """
    other = app.webhook_secret or app.metadata.get('meta_app_secret')
    return [text for text in (app.client_secret, other) if isinstance(text, str) and text]


def _unbase64(text: str) -> bytes:
    if not re.fullmatch(r'[\w-]+=*', text, re.A):
        raise ValueError('not base64')
    bare = text.rstrip('=')
    return base64.urlsafe_b64decode(bare + '=' * (-len(bare) % 4))


# --- pieces ---------------------------------------------------------------------------------------


def parse_time(value: Any) -> datetime:
    """Return a time of the API (``…+0000``, epoch in s or ms) as aware UTC.

    :raise ValueError: when it is none
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise ValueError('not a time')
    text = re.sub(r'([+-]\d\d)(\d\d)$', r'\1:\2', str(value))
    moment = parse_moment(text) if re.match(r'\d{4}-\d|\d{9,13}(\.\d+)?$', text) else None
    if moment is None:
        raise ValueError(f'not a time: {text[:40]!r}')
    return moment


def bare_id(number: str) -> str:
    """Return a comment's id as both of its forms share it (``POST_COMMENT`` and ``COMMENT``)."""
    return number.rpartition('_')[2]


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and re.fullmatch(r'-?\d{1,9}', value):
        return int(value)
    return value if isinstance(value, int) else None


def _in(delay: timedelta) -> datetime:
    return datetime.now(timezone.utc) + delay
