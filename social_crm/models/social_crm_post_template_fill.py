import base64
from ast import literal_eval

from odoo import api, models
from odoo.exceptions import UserError
from odoo.fields import Domain
from odoo.tools import html2plaintext
from odoo.tools.urls import urljoin

MOST_RECORDS = 50


class SocialCrmPostTemplate(models.Model):
    """What a template makes of records, and when nothing is to be posted about one."""

    _inherit = 'social.crm.post.template'

    # === POSTS === #

    def _make_posts(self, records):
        """Return a draft per record, filled in with what the user may read.

        :raise UserError: for too many records, for archived ones
        """
        self.ensure_one()
        if not records:
            raise UserError(self.env._('Choose the records to post about.'))
        if len(records) > MOST_RECORDS:
            raise UserError(
                self.env._('Choose at most %s records: each becomes a post.', MOST_RECORDS)
            )
        template = self.with_context(**self._filler_context(self.env.user, self.company_id))
        values = template._filled_values(records)
        posts = self.env['social.crm.post'].create(
            [
                {
                    'text': values[record.id]['text'],
                    'link': values[record.id]['link'],
                    'account_ids': self.account_ids.ids,
                    'campaign_id': self.campaign_id.id,
                    'company_id': self.company_id.id,
                }
                for record in records
            ]
        )
        for post, record in zip(posts, records, strict=True):
            post._note_origin(self, record)
            post._fill_in(values[record.id])
        return posts

    def _filler_context(self, user, company):
        """Return what of the context counts: the same now and when the post is due."""
        return {
            'lang': self.lang or user.lang or self.env.lang,
            'tz': user.tz,
            'allowed_company_ids': company.ids,
        }

    def _filled_values(self, records):
        """Return what the template makes of each record, with the rights of the user.

        :return: ``{record id: {'text', 'link', 'own': {network: text}, 'image': bytes}}``
        """
        self.ensure_one()
        records = self.env[self.model].browse(records.ids)
        records.check_access('read')
        texts, links = (self._rendered(self, name, records) for name in ('text', 'link'))
        own = {line.network: self._rendered(line, 'text', records) for line in self.text_ids}
        return {
            record.id: {
                'text': texts[record.id],
                'link': self._absolute(record, links[record.id]),
                'own': {network: text[record.id] for network, text in own.items()},
                'image': self._image(record),
            }
            for record in records
        }

    @api.model
    def _rendered(self, source, name, records):
        context = {'html2plaintext': html2plaintext}
        found = source._render_field(name, records.ids, add_context=context)
        return {res_id: str(text or '').strip() for res_id, text in found.items()}

    @api.model
    def _absolute(self, record, link):
        if not link or link == '#':  # what the website says of a record without a page
            return ''
        if link.startswith(('https://', 'http://')):
            return link
        try:
            return urljoin(record.get_base_url(), link)
        except ValueError:
            raise UserError(self.env._('"%s" is no address.', link)) from None

    def _image(self, record):
        content = self.image_field and record.with_context(bin_size=False)[self.image_field]
        return base64.b64decode(content) if content else b''

    # === OBSTACLES === #

    def _condition(self):
        return literal_eval((self.domain or '').strip() or '[]')

    def _obstacle(self, record):
        """Return why nothing is to be posted about this record now, ``''`` where nothing is."""
        self.ensure_one()
        record = self.env[self.model].browse(record.id).exists()
        if not record:
            return self.env._('The record that this is about was deleted.')
        if not record.has_access('read'):
            return self.env._(
                '%s, who filled the post in, may not read the record (any more).',
                self.env.user.name,
            )
        name = record.display_name
        if 'active' in record._fields and not record.active:
            return self.env._('"%s" is archived.', name)
        domain = Domain(self._condition())
        parts = domain.children if getattr(domain, 'OPERATOR', '') == '&' else [domain]
        missed = [part for part in parts if not record.filtered_domain(part)]
        if not missed:
            return ''
        return self.env._(
            '"%(record)s" does not meet the condition of the template: %(condition)s.',
            record=name,
            condition=' · '.join(self._described(part) for part in missed),
        )

    def _described(self, part):
        """Return a part of the condition with the names that people know its fields by."""
        labels = self.env[self.model].fields_get(attributes=['string'])
        found = [
            f'{labels.get(leaf.field_expr, {}).get("string", leaf.field_expr)} '
            f'{leaf.operator} {leaf.value}'
            for leaf in part.iter_conditions()
        ]
        return ', '.join(found) or str(part)
