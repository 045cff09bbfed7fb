"""Checks requests and answers against Google's discovery document, field by field."""

import json
import re
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft202012Validator

from .specs import SPECS

FILE = SPECS / 'youtube.v3.json'
_KEPT = ('type', 'enum', 'items', 'properties')
_PATTERNS = {
    'date-time': r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$',
    'google-datetime': r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$',
    'uint64': r'^\d+$',
    'int64': r'^-?\d+$',
}


class Spec:
    """The document: :meth:`request` and :meth:`answer` raise AssertionError on a breach."""

    def __init__(self, data):
        self.data = data
        self.definitions = {name: _schema(s) for name, s in data['schemas'].items()}
        self.methods = {}
        for resource in data['resources'].values():
            for method in resource.get('methods', {}).values():
                self.methods[method['httpMethod'], method['path']] = method
        self._validator = lru_cache(None)(self._make_validator)

    @classmethod
    def load(cls):
        return cls(json.loads(FILE.read_text())) if FILE.is_file() else None

    def method(self, verb, url):
        """Return the method of a call, and whether it is one that uploads."""
        path = urlsplit(url).path.lstrip('/')
        plain = path.removeprefix('upload/')
        found = self.methods.get((verb, plain))
        assert found, f'no such call: {verb} {path}'
        if plain != path:
            simple = found.get('mediaUpload', {}).get('protocols', {}).get('simple', {})
            assert simple.get('path') == f'/{path}', f'no such upload: {verb} {path}'
        return found

    def request(self, request):
        """Check the query and the body of a prepared request."""
        method = self.method(request.method, request.url)
        where = method['id']
        given = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        known = {**self.data['parameters'], **method.get('parameters', {})}
        needed = {name for name, p in method.get('parameters', {}).items() if p.get('required')}
        assert needed <= set(given), f'{where}: {needed - set(given)} is missing'
        for name, values in given.items():
            assert name in known, f'{where}: unknown parameter {name}'
            assert len(values) == 1, f'{where}: {name} is given twice'
            self._parameter(f'{where}: {name}', known[name], values[0])
        body = request.body
        if 'request' not in method:
            assert not body, f'{where}: takes no body'
            return
        assert request.headers['Content-Type'].startswith('application/json'), where
        self.check(method['request']['$ref'], json.loads(body), where)

    def _parameter(self, where, parameter, value):
        values = value.split(',') if parameter.get('repeated') else [value]
        schema = _schema(parameter)
        for text in values:
            typed = text
            if parameter['type'] == 'integer':
                typed = int(text)
                assert int(parameter.get('minimum', typed)) <= typed, where
                assert typed <= int(parameter.get('maximum', typed)), where
            elif parameter['type'] == 'boolean':
                typed = {'true': True, 'false': False}[text]
            self._valid(schema, typed, where)

    def answer(self, verb, url, status, body):
        """Check the JSON of an answer that is no error; errors are of Google's common form."""
        method = self.method(verb, url)
        if status >= 400:
            error = body['error']
            assert error['code'] == status
            assert all(
                set(row) <= {'message', 'domain', 'reason', 'location', 'locationType'}
                for row in error['errors']
            )
        elif 'response' in method:
            self.check(method['response']['$ref'], body, f'{method["id"]} {status}')
        else:
            assert body is None, f'{method["id"]}: gives nothing'

    def check(self, name, value, where):
        self._valid({'$ref': f'#/$defs/{name}'}, value, where)

    def _valid(self, schema, value, where):
        errors = list(self._validator(json.dumps(schema, sort_keys=True)).iter_errors(value))
        told = [f'{list(error.absolute_path)}: {error.message[:200]}' for error in errors[:3]]
        assert not errors, f'{where}: {told}'

    def _make_validator(self, schema):
        return Draft202012Validator({**json.loads(schema), '$defs': self.definitions})


def _schema(part):
    """Return a part of the document as JSON Schema that knows the named fields only."""
    if '$ref' in part:
        return {'$ref': f'#/$defs/{part["$ref"]}'}
    schema = {name: part[name] for name in _KEPT if name in part}
    if schema.get('type') == 'any':
        del schema['type']
    if part.get('format') in _PATTERNS:
        schema['pattern'] = _PATTERNS[part['format']]
    if part.get('format') == 'uint32':
        schema['minimum'] = 0
    if 'items' in schema:
        schema['items'] = _schema(schema['items'])
    if 'properties' in schema:
        inner = schema['properties'].items()
        schema['properties'] = {name: _schema(value) for name, value in inner}
        schema['additionalProperties'] = False
    return schema


def parts_of(request):
    """Return the parts of a resource that a call asks for."""
    return re.split(',', parse_qs(urlsplit(request.url).query)['part'][0])
