import logging

from odoo import api, fields, models

from ..calls import Call
from ..picture import BadPicture, fetch_picture, redraw_photograph
from ..tools import clean
from .social_crm_fetch_mixin import RETRY, TRIES

_logger = logging.getLogger(__name__)

LISTED = 20  # media told of, of one mention
KEPT = 4  # pictures kept, of one mention
MOST_BYTES = 10 << 20


class SocialCrmMention(models.Model):
    """Pictures of what came in, fetched by the loop, drawn anew, and kept with the mention.

    The browser of whoever reads a mention calls no network: that would tell a stranger who reads
    what when, and show what the stranger has put there meanwhile. The pictures are attachments of
    the field: who may read the mention may see them, and they go with it.
    """

    _inherit = 'social.crm.mention'

    media_due = fields.Datetime(readonly=True, copy=False)
    media_tries = fields.Integer(readonly=True, copy=False)

    _media_due = models.Index('(media_due) WHERE media_due IS NOT NULL')

    @api.model
    def _cron_fetch_media(self):
        """Fetch the pictures that are wanted."""
        self._fetch_all('media')

    def _pictures(self):
        """Return what is told of the pictures that are kept: ``image`` is the attachment's id."""
        self.ensure_one()
        return [medium for medium in self.media or [] if medium.get('image')]

    def _want_media(self):
        """Have the pictures fetched that are not kept yet."""
        for mention in self:
            if wanted(mention.media):
                mention.write({'media_due': fields.Datetime.now(), 'media_tries': 0})

    def _media_request(self):
        """Return a call that fetches the pictures; it touches no database."""
        self.ensure_one()
        http = self.env['social.crm.app']._http()
        urls = wanted(self.media)
        return Call(None, lambda: {place: _fetched(http, url) for place, url in urls.items()})

    def _store_media(self, fetched):
        """Keep pictures, and which were refused; those that may come later are tried again.

        :param dict fetched: place among the media -> JPEG, ``None`` (refused), or a BadPicture
            that need not last
        """
        media = [dict(medium) for medium in self.media or []]
        later = [place for place, found in fetched.items() if isinstance(found, BadPicture)]
        drawn = {place: found for place, found in fetched.items() if isinstance(found, bytes)}
        for place in fetched.keys() - set(later):
            media[place]['image'] = False
        files = self.env['ir.attachment'].create(
            [
                {
                    'name': f'{self.network}-{self.id}-{place + 1}.jpg',
                    'description': media[place]['description'],
                    'raw': content,
                    'mimetype': 'image/jpeg',
                    'res_model': self._name,
                    'res_id': self.id,
                    'res_field': 'media',
                }
                for place, content in drawn.items()
            ]
        )
        for place, file in zip(drawn, files, strict=True):
            media[place]['image'] = file.id
        due = fields.Datetime.now() + RETRY if later and self.media_tries < TRIES else False
        self.write({'media': media, 'media_due': due})
        if drawn:
            self._announce_change()

    def _edited_media(self, media):
        """Return the values for media that an edit brought; pictures of what is gone go too."""
        known = {one['url']: one['image'] for one in self.media or [] if one.get('image')}
        media = [
            {**one, 'image': known[one['url']]} if one['url'] in known else one
            for one in media or []
        ]
        kept = {one.get('image') for one in media}
        self.env['ir.attachment'].browse(set(known.values()) - kept).unlink()
        due = fields.Datetime.now() if wanted(media) else False
        return {'media': media or False, 'media_due': due, 'media_tries': 0}


def media_rows(item):
    """Return an item's media as they are kept beside a mention, ``None`` for none."""
    return [
        {
            'mimetype': clean(medium.mimetype, 100),
            'url': clean(medium.url, 2000),
            'preview': clean(medium.preview, 2000),
            'description': clean(medium.description, 1500),
        }
        for medium in item.media[:LISTED]
    ] or None


def wanted(media):
    """Return where the pictures stand that were not fetched yet: dict of place -> address."""
    urls = {}
    for place, medium in enumerate((media or [])[:KEPT]):
        picture = medium['mimetype'].startswith('image/')
        url = medium.get('preview') or (medium['url'] if picture else '')
        if url and 'image' not in medium:
            urls[place] = url
    return urls


def _fetched(http, url):
    """Return a picture as JPEG, ``None`` where it was refused, the error where it may come yet."""
    try:
        return fetch_picture(http, url, redraw_photograph, MOST_BYTES)
    except BadPicture as error:
        _logger.info('a picture was refused: %s', error)
        return error if error.passing else None
