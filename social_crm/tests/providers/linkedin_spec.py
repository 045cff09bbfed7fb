"""Checks requests and answers against what is known of LinkedIn's API in machine-readable form.

There is no official description. The three documents are made from LinkedIn's public collections
of calls: their answers are examples, and several calls are missing or have none. So each example
becomes a strict schema (no name that is not in it), and what the documents lack is added from
``data/linkedin_shapes.json``, which is written by the reference of the network.
"""

import json
import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import yaml
from openapi_schema_validator import OAS31Validator

#: Objects whose names are data.
MAPS = {'results', 'statuses', 'errors', 'localized'}
SHAPES = Path(__file__).parent / 'data' / 'linkedin_shapes.json'
API = 'https://api.linkedin.com'


class LinkedInSpec:
    """The documents: :meth:`request` and :meth:`answer` raise AssertionError on a breach."""

    def __init__(self, documents):
        self.shapes = json.loads(SHAPES.read_text())
        self.operations = []
        for document in documents:
            for path, methods in document['paths'].items():
                for method, operation in methods.items():
                    pattern = '[^/]+'.join(
                        re.escape(part) for part in re.split(r'{[^}]*}', path.removeprefix('/rest'))
                    )
                    self.operations.append((method.upper(), pattern, operation, document))
        #: Calls that a document knows, as METHOD /path.
        self.checked = set()

    @classmethod
    def load(cls, folder):
        files = sorted(folder.glob('linkedin-marketing-*.openapi.yml'))
        return cls([yaml.safe_load(file.read_text()) for file in files]) if files else None

    def request(self, request):
        """Check path, query names, headers and body of a prepared request to the API."""
        name, shape, found = self._call(request.method, request.url)
        query = urlsplit(request.url).query
        names = {part.partition('=')[0] for part in query.split('&')} if query else set()
        known = set(shape.get('query', ())) | {
            p['name']
            for operation, _doc in found
            for p in operation.get('parameters', ())
            if p['in'] == 'query'
        }
        assert names <= known, f'{name}: unknown parameters {names - known}'
        self._headers(name, request, found)
        if request.body:
            body = json.loads(request.body)
            schemas = [strict(from_example(shape['request']))] if 'request' in shape else []
            for operation, document in found:
                schemas += _request_schemas(operation, document)
            assert schemas, f'{name}: nobody knows a body'
            _check(merged(schemas), body, f'{name} request')

    def answer(self, method, url, status, body):
        """Check the JSON of an answer."""
        name, _shape, _found = call = self._call(method, url)
        if status >= 300 or body is None:
            return
        _check(self._answer_schema(*call), body, f'{name} answer')

    def _answer_schema(self, name, shape, found):
        schemas = [strict(from_example(shape['answer']))] if 'answer' in shape else []
        for operation, document in found:
            for response in operation['responses'].values():
                schema = response.get('content', {}).get('application/json', {}).get('schema')
                if schema:
                    schemas.append(strict(_resolved(schema, document)))
        assert schemas or 'one_of' in shape, f'{name}: nobody knows an answer'
        schema = merged(schemas)
        if 'one_of' in shape:  # one of what another call gives a list of
            many = self._answer_schema(*self._call('GET', f'{API}/rest{shape["one_of"]}'))
            schema = many['properties']['elements']['items']
        if 'elements_of' in shape:  # a list of what another call gives one by one
            one = self._answer_schema(*self._call('GET', f'{API}/rest{shape["elements_of"]}'))
            schema['properties']['elements'] = {'type': 'array', 'items': one}
        return schema

    # --- pieces ----------------------------------------------------------------------------------

    def _call(self, method, url):
        assert url.startswith(API), f'not the API: {url}'
        raw = urlsplit(url).path
        assert ':li:' not in raw, f'a URN is not encoded: {raw}'
        path = re.sub(r'^/(rest|v2)', '', raw)
        found = [
            (operation, document)
            for known, pattern, operation, document in self.operations
            if known == method and re.fullmatch(pattern, unquote(path))
        ]
        shaped = [
            (name, shape)
            for name, shape in self.shapes.items()
            if re.fullmatch(re.sub(r'{\w+}', '[^/]+', name), f'{method} {path}')
        ]
        assert found or shaped, f'no such call: {method} {path}'
        name, shape = shaped[0] if shaped else (f'{method} {path}', {})
        if found:
            self.checked.add(name)
        return name, shape, found

    def _headers(self, name, request, found):
        wanted = {
            p['name'].lower()
            for operation, _doc in found
            for p in operation.get('parameters', ())
            if p['in'] == 'header'
        }
        have = {header.lower(): value for header, value in request.headers.items()}
        missing = wanted - set(have) - {'x-restli-method'}
        assert not missing, f'{name}: without {missing}'
        if '/v2/' not in request.url:
            assert re.fullmatch(r'20\d\d(0[1-9]|1[0-2])', have.get('linkedin-version', '')), name
            assert have.get('x-restli-protocol-version') == '2.0.0', name


def from_example(value):
    """Return a schema of what looks like an example; ``{"*": …}`` is a map, null is anything."""
    if isinstance(value, dict):
        if set(value) == {'*'}:
            return {'type': 'object', 'additionalProperties': from_example(value['*'])}
        return {'type': 'object', 'properties': {k: from_example(v) for k, v in value.items()}}
    if isinstance(value, list):
        return {'type': 'array', 'items': merged([from_example(v) for v in value])}
    kinds = {bool: 'boolean', int: 'integer', float: 'number', str: 'string'}
    return {'type': kinds[type(value)]} if type(value) in kinds else {}


def strict(schema, name=''):
    """Return a schema that knows no names but those in it."""
    schema = {
        k: v
        for k, v in schema.items()
        if k in {'type', 'properties', 'items', 'additionalProperties'}
    }
    if isinstance(schema.get('additionalProperties'), dict):
        return {**schema, 'additionalProperties': strict(schema['additionalProperties'])}
    if 'properties' in schema:
        inner = {key: strict(value, key) for key, value in schema.pop('properties').items()}
        if name in MAPS:
            return {'type': 'object', 'additionalProperties': merged(list(inner.values()))}
        return {'type': 'object', 'properties': inner, 'additionalProperties': False}
    if 'items' in schema:
        schema['items'] = strict(schema['items'])
    return schema


def merged(schemas):
    """Return one schema for what is described in parts."""
    schemas = [schema for schema in schemas if schema]
    if not schemas:
        return {}
    kinds = sorted({schema['type'] for schema in schemas})
    if kinds == ['object']:
        maps = [s['additionalProperties'] for s in schemas if s.get('additionalProperties')]
        if maps:
            return {'type': 'object', 'additionalProperties': merged(maps)}
        inner = {}
        for schema in schemas:
            for name, value in schema.get('properties', {}).items():
                inner.setdefault(name, []).append(value)
        inner = {name: merged(values) for name, values in inner.items()}
        return {'type': 'object', 'properties': inner, 'additionalProperties': False}
    if kinds == ['array']:
        return {'type': 'array', 'items': merged([s.get('items', {}) for s in schemas])}
    return schemas[0] if len(kinds) == 1 else {'anyOf': schemas}


def _request_schemas(operation, document):
    """Return schemas of a body: the documents hold examples, some as text with remarks."""
    for content in operation.get('requestBody', {}).get('content', {}).values():
        schema = _resolved(content.get('schema', {}), document)
        example = schema.get('example')
        if isinstance(example, str):
            text = json.loads(example)  # a text that holds JSON, with remarks at ends of lines
            example = json.loads(re.sub(r'(?m)(?<!:)//.*$', '', text))
        if example:
            yield strict(from_example(example))


def _resolved(schema, document):
    if '$ref' not in schema:
        return schema
    return document['components']['schemas'][schema['$ref'].rpartition('/')[2]]


def _check(schema, value, where):
    errors = list(OAS31Validator(schema).iter_errors(value))
    told = [f'{list(error.absolute_path)}: {error.message[:200]}' for error in errors[:3]]
    assert not errors, f'{where}: {told}'
