"""Checks requests and answers against the lexicons of the AT Protocol.

Stricter than a server: a name that no lexicon knows is a breach, since a misspelt one would be
ignored in silence. What refers to a lexicon that is not at hand passes.
"""

import json
import re
from urllib.parse import parse_qs, urlsplit

import regex

#: Calls whose lexicons are not in the folder.
UNLISTED = {
    'app.bsky.feed.getAuthorFeed',
    'com.atproto.identity.resolveHandle',
    'com.atproto.repo.getRecord',
}
FORMATS = {
    'at-identifier': r'did:[a-z]+:[\w.:%-]+|([a-z0-9-]+\.)+[a-z][a-z0-9-]*',
    'at-uri': r'at://[^/\s]+(/[\w.]+(/[\w.:~-]+)?)?',
    'cid': r'[a-zA-Z0-9+]{8,}',
    'datetime': r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)',
    'did': r'did:[a-z]+:[\w.:%-]+',
    'handle': r'([a-z0-9-]+\.)+[a-z][a-z0-9-]*',
    'language': r'[a-zA-Z]{2,3}(-[\w-]+)?',
    'nsid': r'[a-zA-Z][\w-]*(\.[\w-]+){2,}',
    'record-key': r'[\w.:~-]{1,512}',
    'tid': r'[234567abcdefghij][234567a-z]{12}',
    'uri': r'[a-z][\w+.-]*:\S+',
}
KINDS = {'string': str, 'integer': int, 'boolean': bool, 'array': list, 'object': dict}


class Lexicons:
    """The lexicons; :meth:`request` and :meth:`answer` raise AssertionError on a breach."""

    def __init__(self, lexicons):
        self.lexicons = lexicons

    @classmethod
    def load(cls, folder):
        found = [json.loads(file.read_text()) for file in sorted(folder.glob('**/*.json'))]
        return cls({data['id']: data['defs'] for data in found}) if found else None

    def request(self, request):
        """Check the method, the query and the body of a prepared request to ``/xrpc/``."""
        method = urlsplit(request.url).path.removeprefix('/xrpc/')
        if method in UNLISTED:
            return
        call = self.lexicons.get(method, {}).get('main')
        assert call, f'no such call: {method}'
        assert request.method == {'query': 'GET', 'procedure': 'POST'}[call['type']], method
        query = parse_qs(urlsplit(request.url).query, keep_blank_values=True)
        schema = {'type': 'object', **call.get('parameters', {})} | {'type': 'object'}
        known = schema.get('properties', {})
        values = {name: _typed(texts, known.get(name, {})) for name, texts in query.items()}
        self.check(schema, values, method, method)
        body = call.get('input', {})
        if 'schema' in body:
            assert request.headers['Content-Type'].startswith('application/json')
            value = json.loads(request.body)
            self.check(body['schema'], value, method, method)
            if 'record' in value:
                kind = value['record']['$type']
                assert kind == value['collection']
                self.check(self.lexicons[kind]['main']['record'], value['record'], kind, kind)

    def answer(self, url, body):
        """Check the JSON of an answer."""
        method = urlsplit(url).path.removeprefix('/xrpc/')
        output = self.lexicons.get(method, {}).get('main', {}).get('output', {})
        if 'schema' in output:
            self.check(output['schema'], body, method, method)

    def check(self, schema, value, where, home):
        """Check a value; ``home`` is the lexicon in which the schema stands."""
        kind = schema.get('type')
        if kind == 'ref':
            self._reference(schema['ref'], value, where, home)
        elif kind == 'union':
            assert isinstance(value, dict), f'{where}: no object'
            assert '$type' in value, f'{where}: $type is missing'
            # A lone "#main" is written without its name.
            names = {_full(ref, home).removesuffix('#main') for ref in schema['refs']}
            assert value['$type'].removesuffix('#main') in names, f'{where}: {value["$type"]}'
            self._reference(value['$type'], value, where, home)
        elif kind == 'blob':
            assert value.get('$type') == 'blob', f'{where}: no blob'
            assert set(value) == {'$type', 'ref', 'mimeType', 'size'}, f'{where}: {set(value)}'
            assert value['size'] <= schema.get('maxSize', value['size']), f'{where}: too big'
        elif kind in KINDS:
            right = isinstance(value, KINDS[kind]) and not (
                kind == 'integer' and isinstance(value, bool)
            )
            assert right, f'{where}: {str(value)[:80]!r} is no {kind}'
            getattr(self, f'_{kind}')(schema, value, where, home)
        else:
            assert kind in {'unknown', 'bytes', 'cid-link'}, f'{where}: {kind}'

    # --- kinds -----------------------------------------------------------------------------------

    def _reference(self, ref, value, where, home):
        lexicon, _, name = _full(ref, home).partition('#')
        defs = self.lexicons.get(lexicon)
        if defs:
            assert (name or 'main') in defs, f'{where}: {ref} is not defined'
            self.check(defs[name or 'main'], value, where, lexicon)

    def _object(self, schema, value, where, home):
        known = schema.get('properties', {})
        missing = set(schema.get('required', ())) - set(value)
        assert not missing, f'{where}: {missing} missing'
        unknown = set(value) - set(known) - {'$type'}
        assert not unknown, f'{where}: unknown {unknown}'
        for name, inner in value.items():
            if name in known and not (inner is None and name in schema.get('nullable', ())):
                self.check(known[name], inner, f'{where}.{name}', home)

    def _array(self, schema, value, where, home):
        assert len(value) <= schema.get('maxLength', len(value)), f'{where}: too long'
        assert len(value) >= schema.get('minLength', 0), f'{where}: too short'
        for number, inner in enumerate(value):
            self.check(schema['items'], inner, f'{where}[{number}]', home)

    def _string(self, schema, value, where, _home):
        pattern = FORMATS.get(schema.get('format', ''))
        assert not pattern or re.fullmatch(pattern, value), f'{where}: {value!r}'
        assert value in schema.get('enum', [value]), f'{where}: {value!r}'
        longest = schema.get('maxLength', len(value.encode('utf-8', 'replace')))
        assert len(value.encode('utf-8', 'replace')) <= longest, f'{where}: too long'
        if 'maxGraphemes' in schema:
            assert len(regex.findall(r'\X', value)) <= schema['maxGraphemes'], f'{where}: too long'

    def _integer(self, schema, value, where, _home):
        assert value >= schema.get('minimum', value), f'{where}: too small'
        assert value <= schema.get('maximum', value), f'{where}: too big'

    def _boolean(self, _schema, _value, _where, _home):
        pass


def _full(ref, home):
    return f'{home}{ref}' if ref.startswith('#') else ref


def _typed(texts, schema):
    kind = schema.get('type')
    if kind == 'array':
        return texts
    if kind == 'integer' and texts[0].lstrip('-').isdigit():
        return int(texts[0])
    if kind == 'boolean' and texts[0] in {'true', 'false'}:
        return texts[0] == 'true'
    return texts[0]
