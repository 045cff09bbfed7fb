import psycopg2

from odoo import fields, models

from .. import listening
from ..providers.types import Unreadable
from ..tools import clean, clean_url, insert_skip_known, naive
from .social_crm_mention_media import media_rows, wanted

TEXT_LENGTH = 20_000


class SocialCrmStream(models.Model):
    """What a page of items becomes: mentions with language, sentiment and matched rules."""

    _inherit = 'social.crm.stream'

    def _store_items(self, items):
        """Store inbound items: new ones are added, edits and deletions marked; own ones left out.

        :param items: values of the adapters
        :return: the ids of the new mentions
        """
        self.ensure_one()
        Engagement = self.env['social.crm.engagement']
        Engagement._recognise(self.account_id, [item for item in items if item.own])
        by_id = {item.external_id: item for item in items if not item.own}
        known = self._known(by_id)
        new = self._insert_mentions(
            self._park_submissions(
                [item for key, item in by_id.items() if key not in known and not item.deleted]
            )
        )
        self.env['social.crm.parked.item']._forget(
            self.account_id, [key for key, item in by_id.items() if item.deleted]
        )
        changed = [
            item for key, item in by_id.items() if key in known and (item.edited_at or item.deleted)
        ]
        if changed:
            self._mark_changes(changed)
        self._recognise_addressed(
            [item for key, item in by_id.items() if known.get(key) == 'search']
        )
        if new:
            by_local = {
                by_id[key].local_id: mention_id
                for key, mention_id in new.items()
                if by_id[key].local_id
            }
            Engagement._adopt_native(self.account_id, new, by_local)
            if any(by_id[key].kind == 'message' for key in new):
                self.env['social.crm.mention'].browse(new.values())._tell_of_messages()
        return list(new.values())

    def _known(self, external_ids):
        """Return the items stored already for those who see this account's mentions: id -> kind.

        What first came in by a personal account and now by a brand account becomes the team's.
        """
        account = self.account_id
        self.env.cr.execute(
            """SELECT external_id, id, owner_id, kind FROM social_crm_mention
                WHERE company_id = %s AND network = %s AND external_id = ANY(%s)""",
            [account.company_id.id, account.network, list(external_ids)],
        )
        rows = self.env.cr.fetchall()
        known = {
            key: kind
            for key, _id, owner, kind in rows
            if not owner or account.kind == 'personal' and owner == account.user_id.id
        }
        if account.kind == 'brand':
            private = {
                key: (number, kind) for key, number, _owner, kind in rows if key not in known
            }
            self.env['social.crm.mention'].browse(
                number for number, _kind in private.values()
            ).write({'owner_id': False, 'account_id': account.id, 'stream_id': self.id})
            known |= {key: kind for key, (_number, kind) in private.items()}
        return known

    def _recognise_addressed(self, items):
        """What a search found first turns out to be written to us: it is a mention, not a hit."""
        items = [item for item in items if item.kind != 'search']
        if not items:
            return
        mentions = self._find_mentions([item.external_id for item in items])
        rule_set = self.env['social.crm.rule']._rule_set(self.company_id.id)
        by_id = {item.external_id: item for item in items}
        for mention in mentions:
            item = by_id[mention.external_id]
            mention.with_context(mail_notrack=True).write(
                {
                    'kind': item.kind,
                    'account_id': self.account_id.id,
                    'stream_id': self.id,
                    'local_id': item.local_id or mention.local_id,
                }
            )
            facts = mention._facts()[mention.id]
            rule_ids = rule_set.match(mention._listening_text(), lambda facts=facts: facts)
            acted = rule_set.acting.intersection(mention.rule_ids.ids)
            mention.rule_ids = [fields.Command.link(rule_id) for rule_id in rule_ids]
            if not acted and rule_set.acting.intersection(rule_ids):
                mention.act_state = 'pending'
            mention._want_media()

    def _find_mentions(self, external_ids):
        return self.env['social.crm.mention'].search(
            [
                ('company_id', '=', self.company_id.id),
                ('network', '=', self.account_id.network),
                ('external_id', 'in', external_ids),
            ]
        )

    def _insert_mentions(self, items):
        """Insert items and what the rules say about them: dict of external id -> new id."""
        account = self.account_id
        if self.env['social.crm.erasure']._erased():
            items = [item for item in items if not self._was_erased(item)]
        if not items:
            return {}
        authors = self.env['social.crm.profile']._upsert(
            account.company_id,
            account.network,
            [item.author for item in items],
        )
        try:
            with self.env.cr.savepoint():
                return self._insert_rows(items, authors)
        except (psycopg2.DataError, ValueError, TypeError, AttributeError, KeyError) as error:
            if len(items) == 1:
                self.env['social.crm.parked.item']._park(
                    self,
                    Unreadable(
                        items[0].raw, f'{type(error).__name__}: {error}', items[0].external_id
                    ),
                )
                return {}
        new = {}
        for item in items:  # one of them is poison: the others must not suffer
            new |= self._insert_mentions([item])
        return new

    def _was_erased(self, item):
        """Return whether a network hands over anew what was erased with its author."""
        return self.env['social.crm.erasure']._known_before(
            self.company_id,
            self.account_id.network,
            item.author.external_id,
            naive(item.posted_at),
        )

    def _insert_rows(self, items, authors):
        rule_set = self.env['social.crm.rule']._rule_set(self.company_id.id)
        partners = self.env['res.partner'].browse(
            filter(None, (author.partner_id for author in authors.values()))
        )
        customer_ids = set(partners._social_customers().ids)
        shared = self._shared_values()
        watched = self.env['social.crm.mention']._automations_wait()
        forms = self._lead_forms(items)
        rows, matches = [], {}
        for item in items:
            author = authors[item.author.external_id]
            row, text = self._analyse(item, shared)
            rule_ids = rule_set.match(
                text,
                lambda author=author, row=row: author.facts(
                    customer_ids,
                    account=row['account_id'],
                    kind=row['kind'],
                    language=row['language'] or '',
                    sentiment=row['sentiment_label'],
                ),
            )
            row['author_id'] = author.id
            row['state'] = 'ignored' if author.blocked else 'new'
            row |= self._submission_row(item, forms)
            acts = watched or row['lead_form_id'] or rule_set.acting.intersection(rule_ids)
            row['act_state'] = 'pending' if acts else 'none'
            matches[row['external_id']] = rule_ids
            # Of what a search finds, pictures are worth a call only where a rule wants the text.
            shown = row['state'] == 'new' and (rule_ids or row['kind'] != 'search')
            row['media_due'] = fields.Datetime.now() if shown and wanted(row['media']) else None
            rows.append(row)
        campaigns = self._campaigns(items, matches)
        for row in rows:
            row['campaign_id'] = campaigns.get(row['external_id'])
        new = dict(
            insert_skip_known(self.env['social.crm.mention'], rows, returning=('external_id', 'id'))
        )
        self.env['social.crm.hour.mark']._mark(
            (row['company_id'], row['posted_at']) for row in rows if row['external_id'] in new
        )
        self._note_given_addresses([row for row in rows if row['external_id'] in new])
        links = [
            (new[key], rule_id)
            for key, rule_ids in matches.items()
            if key in new
            for rule_id in rule_ids
        ]
        if links:
            self.env.cr.execute_values(
                'INSERT INTO social_crm_mention_rule_rel (mention_id, rule_id) VALUES %s',
                links,
                page_size=1000,
            )
        return new

    def _note_given_addresses(self, rows):
        """Have the contact looked for of authors who may have given an address in a message."""
        authors = [
            row['author_id']
            for row in rows
            if row['kind'] == 'message' and not row['owner_id'] and '@' in row['text']
        ]
        unknown = (
            self.env['social.crm.profile']
            .browse(authors)
            .filtered(lambda profile: not profile.partner_id)
        )
        if unknown:
            unknown._match_again()

    def _shared_values(self):
        """Return what all mentions of this stream have in common."""
        account = self.account_id
        return {
            'network': account.network,
            'account_id': account.id,
            'stream_id': self.id,
            'company_id': account.company_id.id,
            'owner_id': account.user_id.id if account.kind == 'personal' else None,
        }

    def _analyse(self, item, shared):
        """Return the row of an item, and its text as the rules read it."""
        plain = clean(item.text, TEXT_LENGTH)
        language = listening.normalise_language(item.language) or listening.detect(plain)
        sentiment = listening.score(plain, language)
        handles = item.mentions
        if item.kind not in ('search', 'lead_form'):  # what is sent to an account mentions it
            handles = (*handles, self.account_id.handle)
        text = listening.Text(plain, hashtags=item.hashtags, handles=handles)
        return {
            **shared,
            'kind': item.kind,
            'external_id': clean(item.external_id, 1000),
            'local_id': clean(item.local_id, 500) or None,
            'text': plain,
            'url': clean_url(item.url, 1000) or None,
            'posted_at': naive(item.posted_at),
            'edited_at': naive(item.edited_at) or None,
            'visibility': item.visibility,
            'language': language or None,
            'sentiment': sentiment.value or 0.0,
            'sentiment_label': sentiment.label,
            'parent_external_id': clean(item.parent_external_id, 1000) or None,
            'parent_local_id': clean(item.parent_local_id, 500) or None,
            'context_due': fields.Datetime.now() if _answers_something(item) else None,
            'conversation_id': clean(item.conversation_id, 500) or None,
            'media': media_rows(item),
        }, text

    def _mark_changes(self, items):
        """Bring stored mentions up to date with edits and deletions on the network."""
        by_id = {item.external_id: item for item in items}
        mentions = self._find_mentions(list(by_id))
        for mention in mentions:
            item = by_id[mention.external_id]
            if item.deleted:
                mention.deleted_at = mention.deleted_at or fields.Datetime.now()
            elif (mention.edited_at or mention.posted_at) < naive(item.edited_at):
                row, _text = self._analyse(item, {})
                names = ('text', 'edited_at', 'language', 'sentiment', 'sentiment_label')
                mention.with_context(mail_notrack=True).write(
                    {name: row[name] for name in names} | mention._edited_media(row['media'])
                )


def _answers_something(item):
    """Return whether what stands above an item is needed to understand it, and worth a call."""
    return item.kind not in ('search', 'lead_form') and bool(
        item.parent_external_id or item.parent_local_id
    )
