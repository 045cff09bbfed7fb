import base64
import logging
from datetime import timedelta

from odoo import fields, models

from ..providers.errors import (
    AuthorizationLost,
    NotFound,
    NotSupported,
    PermissionMissing,
    RateLimited,
    Rejected,
)
from ..tools import clean, naive

_logger = logging.getLogger(__name__)

RETRY = timedelta(minutes=15)
TRIES = 5
FINAL = (NotSupported, PermissionMissing, Rejected)


class SocialCrmProfile(models.Model):
    """What becomes of a look-up: the profile is brought up to date, or tried again later."""

    _inherit = 'social.crm.profile'

    def _store_refresh(self, found, picture):
        """Store a profile as the network tells it now, and its picture.

        :param found: the adapter's Profile, ``None`` where only the picture was fetched
        :param picture: PNG; ``b''`` for none that is new, ``None`` for one that was refused
        """
        done = {'refresh_lease': False, 'picture_due': False}
        if found and self.external_id and found.external_id != self.external_id:
            # Somebody else has the handle now: that is no news of this person.
            self._refresh_failed(NotFound('the handle is somebody else now'))
            return
        profile = self
        if found:
            profile = self._same_on_network(found) or self
            done |= {'refresh_due': False, 'refresh_tries': 0, 'refresh_error': False}
            done |= {**self._values(found), 'stale': False, 'stale_since': False}
            done['looked_up_at'] = fields.Datetime.now()
        url = found.avatar_url if found else self.avatar_url
        if picture:
            done |= {'image_1920': base64.b64encode(picture), 'picture_url': clean(url, 1000)}
        elif picture is None:
            done['picture_url'] = False
        # What has not changed is not written: it would be looked at again by matching.
        profile.write(
            {
                name: value
                for name, value in done.items()
                if name == 'image_1920' or (profile[name] or False) != (value or False)
            }
        )

    def _same_on_network(self, found):
        """Return the profile that turns out to be the same as this, which was entered by hand.

        The link and what people have decided go there, and this one is deleted.
        """
        same = self.search(
            [
                ('id', '!=', self.id),
                ('company_id', '=', self.company_id.id),
                ('network', '=', self.network),
                ('external_id', '=', clean(found.external_id, 1000)),
            ]
        )
        if not same:
            return same
        if self.partner_id and not same.partner_id:
            same.partner_id = self.partner_id
        known = same.match_ids.partner_id
        self.match_ids.filtered(lambda match: match.partner_id not in known).profile_id = same
        self.unlink()
        return same

    def _refresh_failed(self, error, account=None):
        """Note why a look-up did not work, and when to try again."""
        now = fields.Datetime.now()
        values = {'refresh_lease': False, 'picture_due': False, 'refresh_due': False}
        if isinstance(error, AuthorizationLost) and account:
            account._lose_login(error)
        if isinstance(error, NotFound):
            if self.external_id:
                values.update(stale=True, stale_since=self.stale_since or now, looked_up_at=now)
            else:
                values['refresh_error'] = self.env._(
                    'There is no @%(handle)s on %(network)s.',
                    handle=self.handle,
                    network=self._network_label(),
                )
        elif isinstance(error, RateLimited):
            until = max(naive(error.until) or now + RETRY, now + timedelta(seconds=1))
            values['refresh_due'] = until
            if account:
                account.lookups_paused_until = until
        elif isinstance(error, FINAL) or self.refresh_tries >= TRIES:
            values['refresh_error'] = self.env['social.crm.account']._explain(error)
        else:
            values['refresh_tries'] = self.refresh_tries + 1
            values['refresh_due'] = now + RETRY * 2**self.refresh_tries
        self.write(values)
        _logger.info('profile %s was not looked up: %s', self.id, type(error).__name__)
