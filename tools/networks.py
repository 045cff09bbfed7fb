"""`docs/networks.md`: what each network can do here, written from what its adapter says."""

from types import SimpleNamespace

from . import paths

FILE = paths.CHECKOUT / 'docs' / 'networks.md'
COMMAND = './dev python -m tools.networks'

CAPABILITIES = {
    'mentions': 'Mentions, replies, comments',
    'messages': 'Direct messages',
    'hashtags': 'Hashtags',
    'search': 'Search',
    'reply': 'Answers',
    'publish': 'Posts',
    'metrics': 'Figures of posts',
    'profile': 'Profiles by handle',
    'lead_forms': 'Lead forms',
}
FEATURES = {
    'register': 'No app to register',
    'brands': 'Several pages by one login',
    'pkce': 'PKCE',
    'refresh': 'Logins renewed',
    'revoke': 'Logins revoked at the network',
    'webhook': 'Pushes',
    'idempotency_key': 'Idempotency key',
    'find_sent': 'Lost answers looked up',
    'thread': 'Conversations',
    'delete': 'Own posts deleted',
}
HEAD = f"""# What each network can do

Written by `{COMMAND}` from what the adapters say of themselves.
`./dev test` fails when it is stale. The permissions that a capability wants stand on the app
(*Social CRM > Configuration > Apps*) and in the adapter.
"""


def text():
    """Return the whole file."""
    adapters = _adapters()
    head = ['', *(adapter.label for adapter in adapters)]
    parts = [HEAD, '## Capabilities\n', _table(head, _rows(adapters, CAPABILITIES, 'capabilities'))]
    parts += ['## How it works\n', _table(head, _rows(adapters, FEATURES, 'features'))]
    parts += ['## Limits\n', _table(head, _limits(adapters))]
    return '\n'.join(parts)


def _adapters():
    from social_crm.providers import adapter_class, adapter_codes

    return [adapter_class(code) for code in sorted(adapter_codes())]


def _rows(adapters, labels, attribute):
    return [
        [label, *('yes' if name in getattr(adapter, attribute) else '–' for adapter in adapters)]
        for name, label in labels.items()
    ]


def _limits(adapters):
    limits = [adapter.default_limits for adapter in adapters]
    versions = [adapter.api_version or '–' for adapter in adapters]
    ends = [str(adapter.api_ends or '–') for adapter in adapters]
    return [
        ['Characters of a post', *(f'{one.text_length:,}' for one in limits)],
        ['Characters of a message', *(_message_length(adapter) for adapter in adapters)],
        ['Pictures of a post', *(str(one.media_count or '–') for one in limits)],
        ['Window for messages', *(_hours(one.message_window) for one in limits)],
        ['Version of the API', *versions],
        ['Served until', *ends],
        ['Calls are charged in', *(adapter.cost_unit or '–' for adapter in adapters)],
    ]


def _message_length(adapter):
    if 'messages' not in adapter.capabilities:
        return '–'
    limits = adapter.default_limits
    return f'{limits.message_length or limits.text_length:,}'


def _hours(seconds):
    return f'{seconds // 3600} h' if seconds else '–'


def _table(head, rows):
    lines = [head, ['---'] * len(head), *rows]
    return '\n'.join(f'| {" | ".join(line)} |' for line in lines) + '\n'


def main():
    """Write the file."""
    from conftest import pytest_configure

    # As for the pure tests: the adapters are imported without Odoo.
    pytest_configure(SimpleNamespace(getoption=lambda _name, default: default))
    FILE.write_text(text(), encoding='utf-8')


if __name__ == '__main__':
    main()
