from datetime import timedelta

from odoo import fields, models
from odoo.exceptions import AccessError, UserError
from odoo.fields import Domain
from odoo.tools import format_datetime, human_size

from .. import listening
from ..providers import adapter_class

REPEAT = timedelta(seconds=60)


class SocialCrmEngagement(models.Model):
    """What is checked before an answer goes out: each refusal says what to do about it."""

    _inherit = 'social.crm.engagement'

    def _check_sendable(self):
        """Refuse what must not, or cannot, go out.

        :raise UserError: with all reasons, one a line
        """
        for engagement in self:
            problems = engagement._problems()
            if problems:
                raise UserError('\n'.join(problems))

    def _problems(self):
        """Return why this cannot be sent, as sentences; works on records not stored, too."""
        self.ensure_one()
        account = [*self._account_problems()]
        if account:  # everything else depends on the account
            return account
        return [
            *self._target_problems(),
            *self._text_problems(),
            *self._media_problems(),
            *self._window_problems(),
            *self._repeat_problems(),
        ]

    # === ACCOUNT === #

    def _account_problems(self):
        account = self.account_id
        if not account:
            yield self.env._(
                'There is no connected account that you may answer with here. Ask an administrator '
                'to connect one, or connect your own.',
            )
        elif account.state != 'connected':
            yield self.env._(
                '%s is not connected: connect it again, or choose another account.',
                account.display_name,
            )
        elif not self._may_use(account):
            yield self.env._('You may not send with %s.', account.display_name)
        elif not self._can('messages' if self.kind == 'message' else 'reply'):
            what = (
                self.env._('direct messages') if self.kind == 'message' else self.env._('answers')
            )
            yield self.env._(
                '%(account)s was connected without the permission for %(what)s, or the network has '
                'none: connect it again to give it.',
                account=account.display_name,
                what=what,
            )

    def _may_use(self, account):
        Account = self.env(su=False)['social.crm.account']
        try:
            domain = Domain('id', 'in', account.ids) & Account._usable_domain()
            return bool(Account.search_count(domain, limit=1))
        except AccessError:
            return False

    def _can(self, capability):
        account = self.account_id
        wanted = (account.wanted_capabilities or '').split()
        return (
            capability in adapter_class(account.network).capabilities
            and capability in wanted
            and capability not in account._missing_capabilities()
        )

    # === TARGET === #

    def _target_problems(self):
        mention, account, private = self.mention_id, self.account_id, self.kind == 'message'
        if not mention:
            if not private or not self.profile_id:
                yield self.env._('Choose whom to write to.')
                return
            if self.profile_id.network != account.network:
                yield self.env._(
                    '%s is on another network than this account.', self.profile_id.display_name
                )
            return
        if mention.network != account.network or mention.company_id != account.company_id:
            yield self.env._('Answer with an account of the same network and company.')
        if mention.deleted_at:
            yield self.env._('The author has deleted this: there is nothing left to answer.')
        if mention.kind == 'lead_form':
            yield self.env._(
                'A lead form cannot be answered on the network: write or call instead.'
            )
        if self._is_private(mention):
            if not private:
                yield self.env._('This was written in private: it is never answered in public.')
            elif account != mention.account_id:
                yield self.env._(
                    'A private message is answered with the account it was written to: %s.',
                    mention.account_id.display_name,
                )

    def _is_private(self, mention):
        return mention.kind == 'message' or mention.visibility == 'direct'

    # === TEXT === #

    def _text_problems(self):
        text = (self.text or '').strip()
        if not text and not self.attachment_ids:
            yield self.env._('Write something first.')
            return
        length, limit = self._length(), self._length_limit()
        if length > limit:
            yield self.env._(
                'The text is %(over)s characters too long: the network takes %(limit)s.',
                over=length - limit,
                limit=limit,
            )
        left = self.env['mail.canned.response']._social_placeholders(text)
        if left:
            yield self.env._('Fill in or remove %s first.', ', '.join(left))
        words = self._blocked_words(text)
        if words:
            yield self.env._(
                'Your company does not want these words in answers: %s', ', '.join(words)
            )

    def _length(self):
        """Return the length as the network counts it, of the text as it will be sent."""
        provider = self.account_id._offline_provider()
        return provider.count(provider.compose(self._outgoing(media=False)))

    def _length_limit(self):
        limits = self._limits()
        return (self.kind == 'message' and limits.message_length) or limits.text_length

    def _limits(self):
        return self.account_id._offline_provider().limits()

    def _blocked_words(self, text):
        query = self.account_id.company_id._social_crm_blocked_query()
        return query.terms(listening.Text(text)) if query else ()

    # === MEDIA === #

    def _media_problems(self):
        if not self.attachment_ids:
            return
        limits = self._limits()
        images, videos, others = self._sorted_media(limits)
        if len(self.attachment_ids) > limits.media_count:
            yield self.env._(
                'The network takes %(limit)s files at most with one answer, these are %(number)s.',
                limit=limits.media_count,
                number=len(self.attachment_ids),
            )
        if others:
            yield self.env._(
                'The network does not take files of this type: %(names)s. It takes %(types)s.',
                names=', '.join(others.mapped('name')),
                types=', '.join(
                    kind.split('/')[-1].upper() for kind in limits.image_types + limits.video_types
                ),
            )
        if videos and not limits.mix_media and len(self.attachment_ids) > 1:
            yield self.env._('A video goes alone: the network does not take other files beside it.')
        for files, size in ((images, limits.image_size), (videos, limits.video_size)):
            large = files.filtered(lambda file, size=size: size and file.file_size > size)
            if large:
                yield self.env._(
                    'Too large for the network: %(names)s. It takes %(size)s at most.',
                    names=', '.join(large.mapped('name')),
                    size=human_size(size),
                )

    def _sorted_media(self, limits):
        # sudo: type and size of what the author has attached
        files = self.attachment_ids.sudo()
        images = files.filtered(lambda file: file.mimetype in limits.image_types)
        videos = files.filtered(lambda file: file.mimetype in limits.video_types)
        return images, videos, files - images - videos

    # === WINDOW === #

    def _window_problems(self):
        end = self._window_end()
        if end and end < fields.Datetime.now():
            yield self.env._(
                'The network took answers until %(when)s. The person has to write again first.',
                when=format_datetime(self.env, end),
            )

    def _window_end(self):
        """Return until when the network takes an answer, ``False`` when it sets no end."""
        self.ensure_one()
        limits = self._limits()
        if self.kind == 'message' and limits.message_window:
            last = self._last_inbound()
            # Who never wrote has opened no window: such networks take no first message.
            start = last.posted_at if last else fields.Datetime.to_datetime('1970-01-01')
            return start + timedelta(seconds=limits.message_window)
        if self.kind != 'message' and limits.reply_window and self.mention_id:
            return self.mention_id.posted_at + timedelta(seconds=limits.reply_window)
        return False

    def _last_inbound(self):
        """Return the last thing that the recipient wrote to this account."""
        # sudo: only its time counts
        return (
            self.env['social.crm.mention']
            .sudo()
            .search(
                [
                    ('author_id', '=', self.profile_id.id),
                    ('account_id', '=', self.account_id.id),
                    ('kind', 'not in', ['search', 'lead_form']),
                ],
                limit=1,
                order='posted_at desc',
            )
        )

    # === REPEAT === #

    def _repeat_problems(self):
        text = (self.text or '').strip()
        if not text:
            return
        # sudo: the same words must not go out twice, whoever sent them first
        same = self.sudo().search(
            [
                ('account_id', '=', self.account_id.id),
                ('kind', '=', self.kind),
                ('text', '=', text),
                ('mention_id', '=', self.mention_id.id),
                ('profile_id', '=', self.profile_id.id),
                ('due_at', '>=', fields.Datetime.now() - REPEAT),
                ('origin', '=', 'odoo'),
                ('delivery_state', 'not in', ('failed', 'cancelled')),
                ('id', 'not in', self._origin.ids),
            ],
            limit=1,
        )
        if same:
            yield self.env._(
                'The very same words have just gone there (by %s). Wait a minute or change them.',
                same.user_id.name or self.account_id.display_name,
            )
