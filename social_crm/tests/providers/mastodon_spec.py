"""Checks requests and answers against Mastodon's OpenAPI description."""

import json
import re
from functools import lru_cache
from urllib.parse import parse_qs, unquote, urlsplit

from openapi_schema_validator import OAS31Validator, oas31_format_checker

#: Parameters that servers take and the description does not know.
UNLISTED = {'/oauth/revoke': {'token_type_hint'}}
#: Lists of the description that every version also takes as one text.
TEXT_OR_LIST = {'redirect_uris'}


class Spec:
    """The description: :meth:`request` and :meth:`answer` raise AssertionError on a breach."""

    def __init__(self, data):
        self.data = data
        self.paths = [
            (re.compile(re.sub(r'{\w+}', '[^/]+', path) + '$'), path) for path in data['paths']
        ]
        self._validator = lru_cache(None)(self._make_validator)

    @classmethod
    def load(cls, file):
        return cls(json.loads(file.read_text())) if file.is_file() else None

    def operation(self, method, url):
        """Return the path's template and the operation; the longest literal match wins."""
        path = urlsplit(url).path
        found = [template for pattern, template in self.paths if pattern.match(path)]
        exact = [template for template in found if '{' not in template] or found
        assert exact, f'no such call: {method} {path}'
        operation = self.data['paths'][exact[0]].get(method.lower())
        assert operation, f'no such call: {method} {path}'
        return exact[0], operation

    def request(self, request):
        """Check the query and the body of a prepared request."""
        template, operation = self.operation(request.method, request.url)
        query = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        known = {
            p['name']: p['schema'] for p in operation.get('parameters', ()) if p['in'] == 'query'
        }
        self._values(f'{request.method} {template}', query, known)
        required = {
            p['name']
            for p in operation.get('parameters', ())
            if p.get('required') and p['in'] == 'query'
        }
        assert required <= {name.removesuffix('[]') for name in query}
        content = operation.get('requestBody', {}).get('content', {})
        kind = request.headers.get('Content-Type', '')
        if kind.startswith('application/x-www-form-urlencoded'):
            body = request.body if isinstance(request.body, str) else request.body.decode()
            schema = content['application/json']['schema']
            values = self._values(
                f'{request.method} {template}', parse_qs(body), self._properties(schema), template
            )
            # The description's variants of a status overlap.
            schema = {'anyOf': schema['oneOf']} if 'oneOf' in schema else schema
            self.check(schema, values, f'{request.method} {template}')
        elif kind.startswith('multipart/form-data'):
            names = set(re.findall(rb'; name="([^"]+)"', request.body))
            known = self._properties(content['multipart/form-data']['schema'])
            assert {name.decode() for name in names} <= set(known)

    def answer(self, method, url, status, body):
        """Check the JSON of an answer."""
        template, operation = self.operation(method, url)
        response = operation['responses'].get(str(status))
        if response and 'content' in response:
            schema = response['content']['application/json']['schema']
            self.check(schema, body, f'{method} {template} {status}')

    def check(self, schema, value, where):
        validator = self._validator(json.dumps(schema, sort_keys=True))
        errors = list(validator.iter_errors(value))
        told = [f'{list(error.absolute_path)}: {error.message[:200]}' for error in errors[:3]]
        assert not errors, f'{where}: {told}'

    # --- pieces ----------------------------------------------------------------------------------

    def _make_validator(self, schema):
        root = {**json.loads(schema), 'components': self.data['components']}
        return OAS31Validator(root, format_checker=oas31_format_checker)

    def _resolve(self, schema):
        while '$ref' in schema:
            part = self.data
            for name in schema['$ref'].removeprefix('#/').split('/'):
                part = part[unquote(name)]
            schema = part
        return schema

    def _properties(self, schema):
        schema = self._resolve(schema)
        found = dict(schema.get('properties', {}))
        for part in (*schema.get('oneOf', ()), *schema.get('anyOf', ()), *schema.get('allOf', ())):
            found |= self._properties(part)
        return found

    def _values(self, where, given, known, template=''):
        """Return the values of a form by the types of the description."""
        values = {}
        for name, texts in given.items():
            plain = name.removesuffix('[]')
            if plain in UNLISTED.get(template, ()):
                continue
            assert plain in known, f'{where}: unknown parameter {name}'
            schema = self._resolve(known[plain])
            kind = schema.get('type')
            if name.endswith('[]'):
                assert kind == 'array' or 'array' in (kind or ()), f'{where}: {name} is no list'
                values[plain] = texts
            elif plain in TEXT_OR_LIST:
                values[plain] = texts
            else:
                values[plain] = _typed(texts[0], kind)
            self.check(known[plain], values[plain], f'{where}: {name}')
        return values


def _typed(text, kind):
    kinds = [kind] if isinstance(kind, str) else kind or []
    if 'integer' in kinds and text.isdigit():
        return int(text)
    if 'boolean' in kinds and text in {'true', 'false'}:
        return text == 'true'
    return text
