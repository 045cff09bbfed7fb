"""Checks calls of OAuth endpoints, which the networks' own descriptions leave out, by the RFCs."""

import json
from pathlib import Path
from urllib.parse import parse_qs

from jsonschema import Draft202012Validator

FILE = Path(__file__).parent / 'data' / 'oauth2.schema.json'
SCHEMA = json.loads(FILE.read_text())


def check(name, value):
    """Raise AssertionError where a value is not what the definition ``name`` says."""
    validator = Draft202012Validator({'$ref': f'#/$defs/{name}', '$defs': SCHEMA['$defs']})
    errors = [error.message[:300] for error in validator.iter_errors(value)]
    assert not errors, f'{name}: {errors[:3]}'


def form_of(request, name):
    """Return the checked fields of a form, each given once."""
    assert request.headers['Content-Type'] == 'application/x-www-form-urlencoded'
    fields = parse_qs(request.body, keep_blank_values=True, strict_parsing=True)
    assert all(len(values) == 1 for values in fields.values()), f'repeated: {list(fields)}'
    form = {field: values[0] for field, values in fields.items()}
    check(name, form)
    return form
