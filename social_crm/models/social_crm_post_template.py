from odoo import api, fields, models
from odoo.exceptions import UserError, ValidationError
from odoo.fields import Domain

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
