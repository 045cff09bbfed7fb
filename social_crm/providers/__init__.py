"""Adapters to the social networks: plain Python, no Odoo."""

from .base import Provider, adapter_class, adapter_codes, register_adapter

__all__ = ['Provider', 'adapter_class', 'adapter_codes', 'register_adapter']

register_adapter('mastodon', f'{__name__}.mastodon:Mastodon')
register_adapter('bluesky', f'{__name__}.bluesky:Bluesky')
register_adapter('facebook', f'{__name__}.facebook:Facebook')
register_adapter('instagram', f'{__name__}.instagram:Instagram')
register_adapter('linkedin', f'{__name__}.linkedin:LinkedIn')
register_adapter('x', f'{__name__}.x:X')
register_adapter('threads', f'{__name__}.threads:Threads')
register_adapter('youtube', f'{__name__}.youtube:YouTube')
