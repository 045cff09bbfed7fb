"""Checks calls and answers against Meta's descriptions of its objects: their fields and edges."""

import json
import re

#: Taken by every call.
GENERIC = {'fields', 'limit', 'after', 'access_token', 'appsecret_proof', 'summary'}
#: What the network takes and its description leaves out; from the documentation of each.
UNLISTED_PARAMS = {'leads': {'filtering'}, 'messages': {'platform'}}
#: Edges that the description of Instagram's own login spells in another way than the network.
SPELLED = {'media_publish': 'mediapublish', 'message_attachments': 'messageattachments'}
#: Where an object is described, if not under its own name.
DESCRIBED = {
    ('IGUserForIGOnlyAPI', 'Media'): 'IGMediaForIGOnlyAPI',
    ('IGUserForIGOnlyAPI', 'IGGraphMedia'): 'IGMediaForIGOnlyAPI',
    ('IGMediaForIGOnlyAPI', 'Media'): 'IGMediaForIGOnlyAPI',
    ('IGMediaForIGOnlyAPI', 'Comment'): 'IGComment',
}


class Breach(AssertionError):
    """A name that the description does not know."""


class MetaSpec:
    """The descriptions in a folder: one file per object, and the enumerations."""

    def __init__(self, folder):
        self.objects = {}
        for file in folder.glob('*.json'):
            if file.stem != 'enum_types':
                self.objects[file.stem] = json.loads(file.read_text())
        enums = json.loads((folder / 'enum_types.json').read_text())
        # The network takes them in small letters too.
        self.enums = {enum['name']: {str(v).lower() for v in enum['values']} for enum in enums}

    @classmethod
    def load(cls, folder):
        return cls(folder) if (folder / 'enum_types.json').is_file() else None

    def call(self, kind, method, edge, params):
        """Check a call of an edge of a kind of object, or of the object itself (no edge).

        :raise Breach: when an edge, a parameter, a field or a value is unknown
        """
        if kind not in self.objects:
            return
        api = self._api(kind, method, edge)
        known = {param['name']: param['type'] for param in api['params']}
        for name, value in params.items():
            if name in GENERIC | UNLISTED_PARAMS.get(edge, set()):
                continue
            if name not in known:
                raise Breach(f'{method} {kind}/{edge}: unknown parameter {name}')
            self._value(f'{method} {kind}/{edge} {name}', known[name], value)
        answer = self._described(kind, api['return']) if edge else kind
        if 'fields' in params:
            self.fields(answer, params['fields'])

    def fields(self, kind, text):
        """Check a list of fields, with those of inner objects."""
        for name, inner in split_fields(text):
            inside = self._type(kind, name)
            if inner and inside in self.objects:
                self.fields(inside, inner)

    def answer(self, kind, value):
        """Check the names in an object of an answer."""
        if kind not in self.objects or not isinstance(value, dict):
            return
        for name, part in value.items():
            inside = self._type(kind, name)
            rows = part.get('data', part) if isinstance(part, dict) else part
            for row in rows if isinstance(rows, list) else [rows]:
                self.answer(inside, row)

    # --- pieces ----------------------------------------------------------------------------------

    def _api(self, kind, method, edge):
        names = {edge, SPELLED.get(edge)} if kind == 'IGUserForIGOnlyAPI' else {edge}
        for api in self.objects[kind]['apis']:
            if api['method'] == method and api.get('endpoint', '') in names:
                return api
        raise Breach(f'{kind} has no {method} {edge or "(itself)"}')

    def _type(self, kind, name):
        """Return the kind of a field's or an edge's objects; raise Breach for an unknown name."""
        if kind not in self.objects:
            return ''
        for field in self.objects[kind]['fields']:
            if field['name'] == name:
                return self._described(kind, re.sub(r'^list<(.*)>$', r'\1', field['type']))
        for api in self.objects[kind]['apis']:
            if api['method'] == 'GET' and api.get('endpoint') == name:
                return self._described(kind, api['return'])
        raise Breach(f'{kind} has no field {name}')

    def _described(self, kind, name):
        return DESCRIBED.get((kind, name), name)

    def _value(self, where, kind, value):
        for name in re.findall(r'\w+_enum_param', kind):
            values = self.enums.get(name)
            for text in str(value).split(',') if 'list<' in kind else [str(value)]:
                if values and text.lower() not in values:
                    raise Breach(f'{where}: unknown value {text}')


def split_fields(text):
    """Yield each field of ``a,b{c},d.limit(2){e}`` with what stands in its braces."""
    depth, start = 0, 0
    parts = []
    for place, sign in enumerate(text):
        depth += (sign in '{(') - (sign in '})')
        if sign == ',' and not depth:
            parts.append(text[start:place])
            start = place + 1
    seen = set()
    for part in [*parts, text[start:]]:
        found = re.fullmatch(r'(\w+)((?:\.\w+\([^()]*\))*)(?:\{(.*)\})?', part, re.S)
        if not found:
            raise Breach(f'not a field: {part!r}')
        if found[1] in seen:  # the network refuses that
            raise Breach(f'field {found[1]} is named twice')
        seen.add(found[1])
        yield found[1], found[3] or ''


def modifiers(text, name):
    """Return the modifiers of a field in a list of fields: ``{'limit': '25', …}``."""
    found = re.search(rf'(?<![\w.]){name}((?:\.\w+\([^()]*\))*)', text)
    return dict(re.findall(r'\.(\w+)\(([^()]*)\)', found[1])) if found else {}
