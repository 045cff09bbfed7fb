"""``listening`` and ``providers`` work without Odoo."""

import ast
from pathlib import Path

import pytest

ADDON = Path(__file__).parents[2]
FILES = sorted(
    file for name in ('listening', 'matching', 'providers') for file in (ADDON / name).rglob('*.py')
)


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            # Two dots or more lead out of the package, to the models.
            yield '..' if node.level > 1 else node.module or '.'


@pytest.mark.parametrize('file', FILES, ids=lambda file: f'{file.parent.name}/{file.name}')
def test_no_import_of_odoo(file):
    names = {
        name.split('.')[0] if name != '..' else name
        for name in imported(ast.parse(file.read_text(encoding='utf-8')))
    }
    assert not names & {'odoo', 'openerp', 'social_crm', '..'}


def test_files_are_found():
    assert len(FILES) > 10
