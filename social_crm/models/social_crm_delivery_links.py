from odoo import api, fields, models

from odoo.addons.link_tracker.models.link_tracker import LINK_TRACKER_MIN_CODE_LENGTH

from .. import tracking

# Stands for the code in a draft; codes grow by a letter or two when many are in use.
PLACEHOLDER = '·' * (LINK_TRACKER_MIN_CODE_LENGTH + 2)


class SocialCrmDeliveryMixin(models.AbstractModel):
    """The links of what is sent become short links of ``link_tracker``, one per delivery.

    It happens when a delivery enters the queue, and what was made is kept with it: every try, and
    every look for it on the network, has the same text. A draft shows a stand-in, so that lengths
    are counted as they will be. Where a network counts every link the same (Mastodon and X: 23
    characters) links are tracked all the same: it is done for the clicks, not for the length. An
    adapter whose network punishes or forbids short links says so by ``Limits.track_links``.
    """

    _inherit = 'social.crm.delivery.mixin'

    tracked_links = fields.Json(
        readonly=True, copy=False, help='Address -> the short link that is sent instead of it.'
    )
    link_clicks = fields.Integer(
        compute='_compute_link_clicks', help='Of tracked links, by people as far as can be told.'
    )

    # === COMPUTE METHODS === #

    def _compute_link_clicks(self):
        field = self._tracker_field()
        Click = self.env['link.tracker.click'].sudo()  # sudo: the number alone
        counts = {}
        if field in Click._fields:
            counts = dict(Click._read_group([(field, 'in', self.ids)], [field], ['__count']))
        for record in self:
            record.link_clicks = counts.get(record, 0)

    # === BUSINESS METHODS === #

    def _track_links(self):
        """Give each link of these its short link, before they are sent; made once."""
        # sudo: trackers are made for whoever may send
        Tracker = self.env['link.tracker'].sudo()
        for record in self.sudo():
            links = record._links_to_track() if record._wants_tracking() else []
            trackers = Tracker.search_or_create(
                [{**record._tracker_values(), 'url': link, 'title': link} for link in links]
            )
            found = {link: tracker.short_url for link, tracker in zip(links, trackers, strict=True)}
            if found != (record.tracked_links or {}):
                record.tracked_links = found

    def _tracked(self, text):
        """Return a text as it is sent: with short links where they are wanted."""
        return tracking.replace(text, self._short_link)

    def _short_link(self, link):
        known = self.tracked_links or {}
        return self._stand_in(link) if self._is_draft() else known.get(link, link)

    def _stand_in(self, link):
        """Return what stands for the short link of a draft's link; as long or a little longer."""
        if self._wants_tracking() and self._is_foreign(link):
            return f'{self._tracked_base()}{PLACEHOLDER}'
        return link

    def _links_to_track(self):
        texts = '\n'.join(filter(None, self._texts_with_links()))
        return [link for link in tracking.links(texts) if self._is_foreign(link)]

    def _is_foreign(self, link):
        """Return whether a link is none of our short ones already."""
        return not link.startswith(self._tracked_base())

    @api.model
    def _tracked_base(self):
        return f'{self.env["link.tracker"].get_base_url()}/r/'

    def _tracker_values(self):
        """Return what the trackers of a delivery get: campaign, medium, network and *content*."""
        return {
            'campaign_id': self.campaign_id.id,
            'medium_id': self.env.ref('social_crm.utm_medium_social').id,
            'source_id': self.account_id._utm_source().id,
            'label': f'{self._name.rsplit(".", 1)[-1]}-{self.id}',
            self._tracker_field(): self.id,
        }

    def _tracker_field(self):
        return f'social_{self._name.rsplit(".", 1)[-1]}_id'

    def _move_trackers(self):
        """Have the clicks, those to come and those of the past, count for the campaign of now."""
        # sudo: see _track_links
        trackers = self.env['link.tracker'].sudo()
        for record in self:
            trackers.search([(self._tracker_field(), '=', record.id)]).write(
                {'campaign_id': record.campaign_id.id}
            )

    # === HOOKS === #

    def _texts_with_links(self):
        """Return the texts whose links are tracked."""
        return []

    def _is_draft(self):
        """Return whether this has not been in the queue yet."""
        return False

    def _wants_tracking(self):
        """Return whether links are to be tracked: people want it, the network does not mind."""
        account = self.account_id.sudo()  # sudo: what the network takes is no secret
        return bool(account) and account._offline_provider().limits().track_links
