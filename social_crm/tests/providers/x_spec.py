"""Checks requests and answers against X's own OpenAPI description, field by field."""

import json
import re
from functools import lru_cache
from urllib.parse import parse_qs, urlsplit

from openapi_schema_validator import OAS30Validator, oas30_format_checker

from .specs import SPECS

#: The description for each spelling of the names.
FILES = {'tweet': SPECS / 'x-openapi-2.166.json', 'post': SPECS / 'x-openapi.json'}
#: Counters that the pages of the documentation list, and the description leaves out.
UNLISTED = {'non_public_metrics': {'url_link_clicks', 'user_profile_clicks', 'engagements'}}


class Spec:
    """One description: :meth:`request` and :meth:`answer` raise AssertionError on a breach."""

    def __init__(self, data):
        self.data = data
        for schema in data['components']['schemas'].values():
            if 'required' in schema and 'properties' in schema:
                # 2.166 requires a field of uploads that it describes nowhere.
                described = schema['properties']
                schema['required'] = [n for n in schema['required'] if n in described]
        self.paths = [
            (re.compile(re.sub(r'{\w+}', '[^/]+', path) + '$'), path) for path in data['paths']
        ]
        self._validator = lru_cache(None)(self._make_validator)

    @classmethod
    def load(cls, names):
        file = FILES[names]
        return cls(json.loads(file.read_text())) if file.is_file() else None

    def operation(self, method, url):
        path = urlsplit(url).path
        found = [template for pattern, template in self.paths if pattern.match(path)]
        found.sort(key=lambda template: template.count('{'))
        operation = self.data['paths'][found[0]].get(method.lower()) if found else None
        assert operation, f'no such call: {method} {path}'
        return found[0], operation

    # --- requests --------------------------------------------------------------------------------

    def request(self, request):
        """Check the path, the query and the body of a prepared request."""
        template, operation = self.operation(request.method, request.url)
        where = f'{request.method} {template}'
        parameters = [self._resolve(p) for p in operation.get('parameters', ())]
        self._path(where, template, urlsplit(request.url).path, parameters)
        self._query(where, urlsplit(request.url).query, parameters)
        content = operation.get('requestBody', {}).get('content', {})
        kind = request.headers.get('Content-Type', '').partition(';')[0]
        if request.body is None:
            assert not operation.get('requestBody', {}).get('required'), f'{where}: no body'
            return
        assert kind in content, f'{where}: takes no {kind}'
        schema = content[kind]['schema']
        body = json.loads(request.body) if kind.endswith('json') else _parts(request)
        self.check(schema, body, where)

    def _path(self, where, template, path, parameters):
        values = re.fullmatch(re.sub(r'{(\w+)}', r'(?P<\1>[^/]+)', template), path).groupdict()
        for parameter in parameters:
            if parameter['in'] == 'path':
                value = values[parameter['name']]
                self.check(parameter['schema'], value, f'{where}: {parameter["name"]}')

    def _query(self, where, query, parameters):
        known = {p['name']: p for p in parameters if p['in'] == 'query'}
        given = parse_qs(query, keep_blank_values=True)
        needed = {name for name, p in known.items() if p.get('required')}
        assert needed <= set(given), f'{where}: {needed - set(given)} is missing'
        for name, values in given.items():
            assert name in known, f'{where}: unknown parameter {name}'
            assert len(values) == 1, f'{where}: {name} is given twice'
            schema = self._resolve(known[name]['schema'])
            value = values[0]
            if schema.get('type') == 'array':
                value = value.split(',')
            elif schema.get('type') == 'integer':
                value = int(value)
            self.check(schema, value, f'{where}: {name}')

    # --- answers ---------------------------------------------------------------------------------

    def answer(self, method, url, status, body):
        """Check the JSON of an answer that is no error, or an error in the form of a problem."""
        template, operation = self.operation(method, url)
        where = f'{method} {template} {status}'
        if status >= 400:
            assert isinstance(body['title'], str), where
            assert body.get('status', status) == status
            return
        response = operation['responses'].get(str(status))
        assert response, f'{where}: no such status'
        self.check(response['content']['application/json']['schema'], body, where)

    def check(self, schema, value, where):
        errors = list(self._validator(json.dumps(schema, sort_keys=True)).iter_errors(value))
        told = [f'{list(error.absolute_path)}: {error.message[:200]}' for error in errors[:3]]
        assert not errors, f'{where}: {told}'
        unknown = list(self._unknown(schema, value, ''))
        assert not unknown, f'{where}: unknown field {unknown}'

    # --- pieces ----------------------------------------------------------------------------------

    def _make_validator(self, schema):
        root = {**json.loads(schema), 'components': self.data['components']}
        return OAS30Validator(root, format_checker=oas30_format_checker)

    def _resolve(self, schema):
        while '$ref' in schema:
            part = self.data
            for name in schema['$ref'].removeprefix('#/').split('/'):
                part = part[name]
            schema = part
        return schema

    def _unknown(self, schema, value, path):
        """Yield the places of fields that the description does not know."""
        if isinstance(value, list):
            inner = self._resolve(schema).get('items')
            for item in value if inner else ():
                yield from self._unknown(inner, item, path)
        elif isinstance(value, dict):
            known = self._properties(schema, value)
            for name, inner in value.items():
                if name in known:
                    yield from self._unknown(known[name], inner, f'{path}.{name}')
                elif known and name not in UNLISTED.get(path.rpartition('.')[2], ()):
                    yield f'{path}.{name}'

    def _properties(self, schema, value, followed=()):
        schema = self._resolve(schema)
        found = dict(schema.get('properties', {}))
        parts = [*schema.get('allOf', ()), *schema.get('oneOf', ()), *schema.get('anyOf', ())]
        kinds = schema.get('discriminator', {})
        target = kinds.get('mapping', {}).get(value.get(kinds.get('propertyName')))
        if target and target not in followed:
            followed = (*followed, target)
            parts.append({'$ref': target})
        for part in parts:
            found |= self._properties(part, value, followed)
        return found


def _parts(request):
    """Return the parts of a multipart body: a file as text, numbers as numbers."""
    boundary = request.headers['Content-Type'].partition('boundary=')[2].encode()
    found = {}
    for part in request.body.split(b'--' + boundary)[1:-1]:
        head, _, content = part.partition(b'\r\n\r\n')
        name = re.search(rb' name="([^"]+)"', head)[1].decode()
        content = content.removesuffix(b'\r\n')
        is_file = b'filename=' in head
        text = 'binary' if is_file else content.decode()
        found[name] = int(text) if text.isdigit() else text
    return found
