"""Checks names in calls to Threads, and in its answers.

Meta publishes no description of this API. Calls, parameters and fields are those that the
documentation lists (``data/threads_names.json``); what Meta's other descriptions tell of Threads,
the names of its counters, is compared with them: see ``test_threads_contract.py``.
"""

import json
import re
from pathlib import Path

NAMES = json.loads((Path(__file__).parent / 'data' / 'threads_names.json').read_text())


class Breach(AssertionError):
    """A name that the documentation does not list."""


def check_call(method, path, params):
    """Check a call: its path, its parameters, the fields it asks for; return what it is."""
    call = _call(method, path, params.get('fields', ''))
    name = f'{method} {path}'
    unknown = set(params) - set(call['params'])
    if unknown:
        raise Breach(f'{name}: unknown parameters {sorted(unknown)}')
    for param, value in params.items():
        known = NAMES['values'].get(param)
        wrong = set(value.split(',')) - set(known) if known else ()
        if wrong:
            raise Breach(f'{name}: unknown {param} {sorted(wrong)}')
    if 'fields' in params:
        kind = call.get('rows') or call['answer']
        _check_names(name, set(params['fields'].split(',')), kind)
    return call


def check_answer(method, path, call, body):
    """Check the names in an answer."""
    rows = body['data'] if 'rows' in call else [body]
    for row in rows:
        kind = call.get('rows') or call['answer']
        if kind:
            _check_names(f'{method} {path}', set(row), kind)


def _call(method, path, fields):
    plain = re.sub(r'^\d+', '{id}', path)
    call = NAMES['calls'].get(f'{method} {plain}')
    if not call:
        raise Breach(f'no such call: {method} {path}')
    if plain == '{id}' and method == 'GET' and 'status' in fields.split(','):
        return {**call, 'answer': 'container'}
    return call


def _check_names(where, names, kind):
    unknown = names - set(NAMES['objects'][kind])
    if unknown:
        raise Breach(f'{where}: {kind} has no {sorted(unknown)}')
