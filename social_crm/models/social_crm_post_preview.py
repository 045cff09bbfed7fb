import re

from odoo import api, fields, models

_PIECES = re.compile(r'(https?://[^\s<>"]+|(?<![\w/])[@#][\w.@-]*\w)')
_SHOWN = ('image/jpeg', 'image/png', 'image/gif', 'image/webp')


class SocialCrmPost(models.Model):
    """How the post will look, network by network."""

    _inherit = 'social.crm.post'

    preview = fields.Html(compute='_compute_preview', sanitize=False)
    check_summary = fields.Html('Lengths', compute='_compute_preview', sanitize=False)

    @api.depends(
        'text',
        'link',
        'track_links',
        'first_comment',
        'attachment_ids',
        'media_description',
        'account_ids',
        'publication_ids.text',
        'publication_ids.account_id',
        'due_at',
        'publication_ids.tracked_links',
    )
    def _compute_preview(self):
        qweb = self.env['ir.qweb']
        for post in self:
            rows = post.publication_ids.filtered(lambda row: row.kind == 'post' and row.account_id)
            cards = [post._preview_card(row) for row in rows]
            for name, template in (('preview', 'post_preview'), ('check_summary', 'post_checks')):
                post[name] = (
                    qweb._render(f'social_crm.{template}', {'cards': cards}) if cards else False
                )

    def _preview_card(self, row):
        """Return what the templates show of a publication; they escape it."""
        account, files = row.account_id._origin, self._files()
        descriptions = (self.media_description or '').splitlines()
        outgoing = row._outgoing(media=False)
        text, link = outgoing.text, outgoing.link
        return {
            'network': account.network,
            'label': dict(account._selection_network()).get(account.network, ''),
            'name': account.name or account.handle,
            'handle': account.handle,
            'initial': (account.name or account.handle or '?')[:1].upper(),
            'pieces': self._pieces(text),
            'link': '' if link and link in text else link,
            'comment': self._pieces(row._comment_as_sent()),
            'files': [
                {
                    'id': file.id if file.mimetype in _SHOWN else False,
                    'name': file.name,
                    'description': descriptions[place] if place < len(descriptions) else '',
                }
                for place, file in enumerate(files)
            ],
            'count': row.text_count,
            'limit': row.text_limit,
            'left': row.text_left,
            'problems': (row.problems or '').splitlines(),
            'warnings': (row.warnings or '').splitlines(),
            'expires': row.after_expiry,
            'own': bool(row.text),
            'due': self.scheduled_wall if self.schedule == 'later' else self.env._('now'),
        }

    @api.model
    def _pieces(self, text):
        """Split a text into (is it a link, handle or hashtag, words)."""
        parts = _PIECES.split(text)
        return [(bool(place % 2), part) for place, part in enumerate(parts) if part]
