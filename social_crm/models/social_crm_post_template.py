import base64
from ast import literal_eval

from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain
from odoo.tools import html2plaintext
from odoo.tools.urls import urljoin

MOST_RECORDS = 50
MARKETING = 'social_crm.social_crm_group_marketing'


class SocialCrmPostTemplate(models.Model):
    """How a post is made of a record of any model: a product, an event, a job.

    Texts are rendered as mail templates are, and with their rights: who may not edit templates
    with code may use a few plain placeholders only. Values are read with the rights of the user
    for whom the post is filled in.
    """

    _name = 'social.crm.post.template'
    _description = 'Template of Social Posts'
    _inherit = ['mail.render.mixin']
    _order = 'name, id'
    _check_company_auto = True
    _unrestricted_rendering = True  # who may write code is checked when a template is saved

    name = fields.Char(required=True)
    active = fields.Boolean(default=True)
    model_id = fields.Many2one(
        'ir.model',
        'Made of',
        required=True,
        ondelete='cascade',
        domain=[('abstract', '=', False), ('transient', '=', False)],
    )
    model = fields.Char(related='model_id.model', store=True)
    text = fields.Text(
        help='Fields of the record are written as {{ object.name }}; '
        '{{ html2plaintext(object.description) }} makes plain text of one with formatting.',
    )
    text_ids = fields.One2many(
        'social.crm.post.template.text', 'template_id', 'Other Texts by Network', copy=True
    )
    link = fields.Char(
        help='As {{ object.website_url }}; an address on this server gets its name in front.',
    )
    image_field = fields.Char('Picture', help='The field of the record that holds the picture.')
    domain = fields.Char(
        'Only While',
        help='Looked at when the post is due. It is held back where the record does not meet this '
        'any more: is not published, out of stock. One that is archived or deleted always is.',
    )
    lang = fields.Selection(
        selection='_selection_lang',
        string='Language',
        help="Of the record's values; empty: the language of whoever makes the post.",
    )
    account_ids = fields.Many2many(
        'social.crm.account',
        string='Publish On',
        check_company=True,
    )
    campaign_id = fields.Many2one('utm.campaign')
    company_id = fields.Many2one(
        'res.company',
        required=True,
        index=True,
        default=lambda self: self.env.company,
    )
    action_id = fields.Many2one('ir.actions.server', 'Contextual Action', readonly=True, copy=False)

    # === SELECTION METHODS === #

    @api.model
    def _selection_lang(self):
        return self.env['res.lang'].get_installed()

    # === COMPUTE METHODS === #

    @api.depends('model')
    def _compute_render_model(self):
        for template in self:
            template.render_model = template.model

    # === CONSTRAINT METHODS === #

    @api.constrains('model_id')
    def _check_model(self):
        for template in self:
            Model = self.env.get(template.model)
            if Model is None or Model._abstract or Model._transient:
                raise ValidationError(self.env._('Posts are made of records that are stored.'))

    @api.constrains('model_id', 'image_field')
    def _check_image_field(self):
        for template in self.filtered('image_field'):
            field = self.env[template.model]._fields.get(template.image_field)
            if not field or field.type != 'binary':
                raise ValidationError(
                    self.env._('"%s" is no field that holds a picture.', template.image_field)
                )

    @api.constrains('model_id', 'domain')
    def _check_domain(self):
        for template in self:
            try:
                Domain(template._condition()).validate(self.env[template.model])
            except (ValueError, SyntaxError, TypeError) as error:
                raise ValidationError(
                    self.env._('"Only While" cannot be read: %s', error)
                ) from None

    # === ONCHANGE METHODS === #

    @api.onchange('model_id')
    def _onchange_model_id(self):
        """Propose what fits most records of the model."""
        known = self.env[self.model]._fields if self.model else {}
        self.text = '{{ object.name }}' if 'name' in known else False
        editor = self.env.user.has_group('mail.group_mail_template_editor')
        page = editor and 'website_url' in known
        self.link = '{{ object.website_url }}' if page else False
        images = [name for name in ('image_1024', 'image_1920') if name in known]
        self.image_field = images[0] if images else False
        self.domain = "[('is_published', '=', True)]" if 'is_published' in known else False

    # === CRUD METHODS === #

    @api.model_create_multi
    def create(self, vals_list):
        templates = super().create(vals_list)
        templates._check_rendering()
        return templates

    def write(self, vals):
        """Check what can be checked before the first post is made; renew the action."""
        bound = self.filtered('action_id') if vals.keys() & {'model_id', 'name', 'active'} else []
        result = super().write(vals)
        if vals.keys() & {'model_id', 'text', 'link', 'image_field'}:
            self._check_rendering()
        for template in bound:
            template.unlink_action()
            if template.active:
                template.create_action()
        return result

    def unlink(self):
        """Leave no action behind."""
        self.unlink_action()
        return super().unlink()

    def copy_data(self, default=None):
        """Name the copy as one."""
        vals_list = super().copy_data(default)
        for vals, template in zip(vals_list, self, strict=True):
            vals['name'] = self.env._('%s (copy)', template.name)
        return vals_list

    # === ACTION METHODS === #

    def create_action(self):
        """Offer the template in the action menu of its model."""
        self.check_access('write')
        for template in self.filtered(lambda template: not template.action_id):
            # sudo: actions are the administrator's, but this one does nothing else than the
            # template; whoever may write that decides where it is offered
            action = (
                self.env['ir.actions.server']
                .sudo()
                .create(
                    {
                        'name': self.env._('Post on Social Networks (%s)', template.name),
                        'model_id': template.model_id.id,
                        'binding_model_id': template.model_id.id,
                        'group_ids': self.env.ref(MARKETING).ids,
                        'state': 'code',
                        'code': f'action = env[{self._name!r}].browse({template.id})'
                        '._action_post(records)',
                    }
                )
            )
            # It belongs to the module: uninstalling takes it away, updating does not.
            xmlid = f'social_crm.post_template_action_{template.id}'
            action.env['ir.model.data']._update_xmlids(
                [{'xml_id': xmlid, 'record': action, 'noupdate': True}]
            )
            template.sudo().action_id = action  # sudo: see above
        return True

    def unlink_action(self):
        """Take the template out of the action menu of its model."""
        self.check_access('write')
        self.sudo().action_id.unlink()  # sudo: see create_action
        return True

    def _action_post(self, records):
        """Make a draft per record, and show it or them."""
        posts = self._make_posts(records)
        action = self.env['ir.actions.act_window']._for_xml_id('social_crm.social_crm_post_action')
        if len(posts) == 1:
            return action | {'views': [(False, 'form')], 'res_id': posts.id, 'context': {}}
        return action | {
            'views': [(False, 'list'), (False, 'form')],
            'domain': [('id', 'in', posts.ids)],
            'context': {},
        }

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
        template = self.with_context(**self._filler_context(self.env.user))
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

    def _filler_context(self, user):
        """Return what of the context counts: the same now and when the post is due."""
        return {
            'lang': self.lang or user.lang or self.env.lang,
            'tz': user.tz,
            'allowed_company_ids': self.company_id.ids,
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

    # === CHECKS === #

    def _check_rendering(self):
        """Render once, for whoever writes a template sees best what is wrong with it.

        Not a constraint: those run before it is checked who may write code.
        """
        self._check_access_right_dynamic_template()
        self.text_ids._check_access_right_dynamic_template()
        for template in self:
            Model = self.env[template.model]
            record = Model.search([], limit=1) if Model.has_access('read') else Model
            if not record:
                continue
            try:
                template._filled_values(record)
            except (UserError, SyntaxError, ValueError) as error:
                raise ValidationError(
                    self.env._(
                        'The template does not work for "%(record)s": %(error)s',
                        record=record.display_name,
                        error=error,
                    )
                ) from error

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
