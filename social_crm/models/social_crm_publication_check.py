from datetime import timedelta

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import human_size

from .. import listening, tracking
from ..media import picture_size, video_seconds
from ..providers import adapter_class
from ..providers.errors import ProviderError

TWIN_DAYS = 7


class SocialCrmPublication(models.Model):
    """What the network would say to it: counted and checked here, while it is written."""

    _inherit = 'social.crm.publication'

    text_count = fields.Integer('Length', compute='_compute_checks', compute_sudo=True)
    text_limit = fields.Integer('Limit', compute='_compute_checks', compute_sudo=True)
    text_left = fields.Integer('Left', compute='_compute_checks', compute_sudo=True)
    problems = fields.Text(compute='_compute_checks', compute_sudo=True)
    warnings = fields.Text(compute='_compute_warnings', compute_sudo=True)
    after_expiry = fields.Boolean(
        'After the Login Ends',
        compute='_compute_after_expiry',
        compute_sudo=True,
    )

    # === COMPUTE METHODS === #

    @api.depends(
        'text',
        'account_id',
        'account_id.state',
        'post_id.text',
        'post_id.link',
        'post_id.first_comment',
        'post_id.attachment_ids',
        'post_id.track_links',
        'tracked_links',
    )
    def _compute_checks(self):
        for row in self:
            row.update({'text_count': 0, 'text_limit': 0, 'text_left': 0, 'problems': False})
            if not row.account_id:
                continue
            try:
                provider = row.account_id._offline_provider()
                limits, outgoing = provider.limits(), row._outgoing(media=False)
                row.text_count = provider.count(provider.compose(outgoing))
                row.text_limit = limits.text_length
                row.text_left = row.text_limit - row.text_count
                row.problems = '\n'.join(row._find_problems(provider, limits)) or False
            except ProviderError as error:
                row.problems = row.account_id._explain(error)

    @api.depends('fingerprint', 'account_id', 'post_id.text', 'text', 'post_id.due_at')
    def _compute_warnings(self):
        """Warn of what is allowed and probably not meant: the same text on the same account."""
        for row in self:
            twin = row._twin()
            row.warnings = bool(twin) and self.env._(
                'The same text is on this account already: "%(post)s", %(day)s.',
                post=twin.post_id.name,
                day=fields.Date.to_string(twin.sent_at or twin.due_at),
            )

    @api.depends('post_id.due_at', 'account_id', 'delivery_state')
    def _compute_after_expiry(self):
        expiry = {account.id: account.expires_at for account in self.account_id._origin}
        for row in self:
            end, due = expiry.get(row.account_id._origin.id), row.due_at or row.post_id.due_at
            row.after_expiry = bool(end and due and row.delivery_state == 'queued' and end < due)

    # === CHECKS === #

    def _find_problems(self, provider, limits):
        """Yield what keeps this from being sent, in words."""
        account, post = self.account_id, self.post_id
        if self.delivery_state in ('sent', 'cancelled'):
            return
        if account.state != 'connected':
            yield self.env._('The account is not connected.')
        elif 'publish' not in provider.capabilities or 'publish' in account._missing_capabilities():
            yield self.env._('This login does not permit to publish: connect the account again.')
        files = post._files()
        if not (self.full_text or '').strip() and not files and not post.link:
            yield self.env._('There is nothing to publish yet: write a text or add a picture.')
        if self.text_left < 0:
            yield self.env._('The text is %s characters too long.', -self.text_left)
        if post.first_comment and self._comment_length(provider) > limits.text_length:
            yield self.env._('The first comment is longer than the network takes.')
        if limits.media_required and not files:
            yield self.env._('This network wants a picture or a video.')
        yield from self._blocked_words()
        yield from self._media_problems(limits, files)

    def _comment_length(self, provider):
        return provider.count(tracking.replace(self.post_id.first_comment, self._stand_in))

    def _blocked_words(self):
        query = self.account_id.company_id._social_crm_blocked_query()
        text = '\n'.join(filter(None, (self.full_text, self.post_id.first_comment)))
        words = query.terms(listening.Text(text)) if query else ()
        if words:
            yield self.env._('These words are not to be used: %s.', ', '.join(words))

    def _media_problems(self, limits, files):
        if len(files) > limits.media_count:
            yield self.env._(
                '%(count)s files, and the network takes %(most)s.',
                count=len(files),
                most=limits.media_count,
            )
        videos = files.filtered(lambda file: not (file.mimetype or '').startswith('image/'))
        if not limits.mix_media and videos and len(files) > 1:
            yield self.env._('A video goes alone: not together with other files.')
        fetched = 'fetches_media' in adapter_class(self.account_id.network).features
        if files and fetched and not self.get_base_url().startswith('https://'):
            yield self.env._(
                'This network fetches files from here, so this server needs a public address that '
                'begins with https (system parameter web.base.url).'
            )
        for file in files - videos:
            yield from self._file_problems(file, limits.image_types, limits.image_size)
            yield from self._picture_problems(file, limits)
        for file in videos:
            yield from self._file_problems(file, limits.video_types, limits.video_size)
            yield from self._video_problems(file, limits)

    def _file_problems(self, file, types, most):
        if file.mimetype not in types:
            known = ', '.join(name.partition('/')[2].upper() for name in types)
            yield self.env._(
                '%(file)s: the network does not take this kind of file. It takes: %(types)s.',
                file=file.name,
                types=known or self.env._('none'),
            )
        elif most and file.file_size > most:
            yield self.env._(
                '%(file)s is %(size)s big, and the network takes %(most)s.',
                file=file.name,
                size=human_size(file.file_size),
                most=human_size(most),
            )

    def _picture_problems(self, file, limits):
        most = getattr(limits, 'image_pixels', None)
        if not most or not file.mimetype or file.mimetype == 'image/svg+xml':
            return
        size = picture_size(file.raw or b'')
        if size is None:
            yield self.env._('%s cannot be read as a picture.', file.name)
        elif size[0] * size[1] > most:
            yield self.env._(
                '%(file)s has %(width)s × %(height)s pixels: too many for the network.',
                file=file.name,
                width=size[0],
                height=size[1],
            )

    def _video_problems(self, file, limits):
        seconds = limits.video_duration and video_seconds(file.raw or b'')
        if seconds and seconds > limits.video_duration:
            yield self.env._(
                '%(file)s is %(seconds)s seconds long, and the network takes %(most)s.',
                file=file.name,
                seconds=round(seconds),
                most=limits.video_duration,
            )

    def _twin(self):
        """Return another publication of the same text on the same account within days."""
        self.ensure_one()
        fingerprint = self.kind == 'post' and self.account_id and self._fingerprint()
        if not fingerprint:
            return self.browse()
        around = self.due_at or self.post_id.due_at or fields.Datetime.now()
        days = timedelta(days=TWIN_DAYS)
        series = self.post_id.series_id._origin  # repeats on purpose
        return self.search(
            Domain('account_id', '=', self.account_id._origin.id)
            & (Domain('post_id.series_id', '!=', series.id) if series else Domain.TRUE)
            & Domain('fingerprint', '=', fingerprint)
            & Domain('post_id', '!=', self.post_id._origin.id)
            & Domain('delivery_state', 'not in', ('cancelled', 'failed'))
            & Domain('due_at', '>', around - days)
            & Domain('due_at', '<', around + days),
            limit=1,
        )
