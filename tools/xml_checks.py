"""Checks of data files that need no Odoo: well-formed, unique ids, named in the manifest."""

import ast
from collections import Counter
from xml.etree import ElementTree

from . import paths

#: Folders whose files are loaded by the manifest.
DATA_FOLDERS = ('data', 'demo', 'report', 'security', 'views', 'wizard')


def check(addon):
    """Return what is wrong in an addon's data files, one text each."""
    folder = paths.CHECKOUT / addon
    problems = []
    ids = Counter()
    for path in sorted(folder.rglob('*.xml')):
        try:
            tree = ElementTree.parse(path)
        except ElementTree.ParseError as error:
            problems.append(f'{path.relative_to(paths.CHECKOUT)}: {error}')
            continue
        if tree.getroot().tag == 'odoo':
            ids.update(_ids(tree))
    problems += [f'{addon}: the id "{name}" is given {n} times' for name, n in ids.items() if n > 1]
    return problems + _unnamed(folder) + _missing(folder)


def _ids(tree):
    tags = ('record', 'template', 'menuitem')
    return [node.get('id') for tag in tags for node in tree.iter(tag) if node.get('id')]


def _named(folder):
    manifest = ast.literal_eval((folder / '__manifest__.py').read_text())
    return {*manifest.get('data', ()), *manifest.get('demo', ())}


def _unnamed(folder):
    named = _named(folder)
    found = [
        path.relative_to(folder)
        for name in DATA_FOLDERS
        for path in sorted((folder / name).rglob('*'))
        if path.suffix in ('.xml', '.csv')
    ]
    return [
        f'{folder.name}/{path}: not named in the manifest'
        for path in found
        if str(path) not in named
    ]


def _missing(folder):
    return [
        f'{folder.name}/{name}: named in the manifest but not there'
        for name in sorted(_named(folder))
        if not (folder / name).exists()
    ]
