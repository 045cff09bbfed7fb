import base64
import io

from PIL import Image

from odoo import Command
from odoo.exceptions import AccessError, UserError, ValidationError
from odoo.tests import Form, new_test_user, tagged

from .delivering import DeliveryCase


def picture(color):
    content = io.BytesIO()
    Image.new('RGB', (40, 30), color).save(content, 'PNG')
    return base64.b64encode(content.getvalue())


@tagged('post_install', '-at_install')
class TestPostTemplate(DeliveryCase):
    """Posts that are made of a record, filled in until they go out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.record = cls.env['res.partner'].create(
            {'name': 'Green Tea', 'website': 'https://tea.example/green', 'ref': 'on sale'}
        )
        cls.campaign = cls.env['utm.campaign'].create({'name': 'Spring'})
        cls.editor = new_test_user(
            cls.env,
            'sc_editor',
            'social_crm.social_crm_group_marketing,mail.group_mail_template_editor',
        )
        cls.template = cls.make_template(
            text='New: {{ object.name }}',
            link='{{ object.website }}',
            domain="[('ref', '=', 'on sale'), ('id', '>', 0)]",
            campaign_id=cls.campaign.id,
        )

    @classmethod
    def make_template(cls, user=None, **values):
        """Return a template, made by an editor, for the author to use."""
        values = {
            'name': 'New partner',
            'model_id': cls.env['ir.model']._get_id('res.partner'),
            'account_ids': cls.account.ids,
            **values,
        }
        Template = cls.env['social.crm.post.template'].with_user(user or cls.editor)
        return Template.create(values).with_user(cls.author)

    def make_post(self, template=None, record=None, **values):
        post = (template or self.template)._make_posts(record or self.record)
        if values:
            post.write(values)
        return post

    # --- make

    def test_the_action_menu_makes_drafts(self):
        other = self.record.copy({'name': 'Black Tea'})
        self.template.create_action()
        action = self.template.sudo().action_id
        bindings = self.env['ir.actions.actions'].with_user(self.author)
        names = [one['name'] for one in bindings.get_bindings('res.partner')['action']]
        self.assertIn('Post on Social Networks (New partner)', names)
        employee = new_test_user(self.env, 'sc_employee', 'base.group_user')
        bindings = bindings.with_user(employee)
        names = [one['name'] for one in bindings.get_bindings('res.partner').get('action', ())]
        self.assertNotIn('Post on Social Networks (New partner)', names)

        records = self.record | other
        context = {'active_model': 'res.partner', 'active_ids': records.ids}
        run = action.with_user(self.author).with_context(context, active_id=self.record.id)
        posts = self.env['social.crm.post'].search(run.run()['domain']).sorted('id')
        self.assertRecordValues(
            posts,
            [
                {
                    'text': text,
                    'link': 'https://tea.example/green',
                    'state': 'draft',
                    'account_ids': self.account.ids,
                    'campaign_id': self.campaign.id,
                    'user_id': self.author.id,
                    'create_uid': self.author.id,
                    'record_ref': record,
                }
                for text, record in (('New: Green Tea', self.record), ('New: Black Tea', other))
            ],
        )
        with self.assertRaises(AccessError):
            run.with_user(employee).run()
        self.template.with_user(self.editor).name = 'Tea'
        action = self.template.sudo().action_id
        self.assertIn('(Tea)', action.name)
        self.template.unlink()
        self.assertFalse(action.exists())
        self.assertEqual(posts[0].text, 'New: Green Tea', 'posts outlive their template')
        posts[0].with_user(self.author).action_submit()
        self.deliver()
        self.assertEqual(self.network.texts, ['New: Green Tea'])

    def test_texts_by_network_pictures_and_addresses(self):
        self.record.write(
            {'image_1920': picture('teal'), 'comment': '<p>Fresh &amp; <b>good</b></p>'}
        )
        template = self.make_template(
            text='{{ html2plaintext(object.comment) }}',
            link='/shop/{{ object.id }}',
            image_field='image_1920',
            text_ids=[Command.create({'network': 'mastodon', 'text': '#tea {{ object.name }}'})],
        )
        post = self.make_post(template)
        self.assertEqual(post.text, 'Fresh & *good*')
        self.assertEqual(post.publication_ids.text, '#tea Green Tea')
        self.assertEqual(post.link, f'{self.record.get_base_url()}/shop/{self.record.id}')
        self.assertEqual(post.attachment_ids.mimetype, 'image/png')
        self.record.image_1920 = picture('red')
        self.record.name = 'White Tea'
        post.track_links = False
        post.action_submit()
        self.deliver()
        ((outgoing, _key, _sent),) = self.network.posts
        self.assertEqual(outgoing.text, '#tea White Tea')
        self.assertEqual(outgoing.media[0].content, base64.b64decode(self.record.image_1920))
        self.assertEqual(len(post.attachment_ids), 1)

    def test_the_form_proposes_what_fits_the_model(self):
        with Form(self.env['social.crm.post.template'].with_user(self.editor)) as form:
            form.name = 'Proposed'
            form.model_id = self.env['ir.model']._get('res.partner')
            self.assertEqual((form.text, form.image_field), ('{{ object.name }}', 'image_1024'))
            form.text = '{{ object.city }}'

    # --- fill in again

    def test_it_is_filled_in_again_when_it_is_due(self):
        post = self.make_post(**self.later(hours=2))
        edited = self.make_post(text='By hand', **self.later(hours=2))
        (post | edited).action_submit()
        self.record.write({'name': 'Oolong', 'website': 'https://tea.example/oolong'})
        self.deliver()
        self.assertFalse(self.network.posts)
        self.pass_time((post | edited).publication_ids, hours=2, minutes=5)
        self.deliver()
        self.assertEqual(self.network.texts, ['New: Oolong', 'By hand'])
        self.assertEqual(set((post | edited).mapped('link')), {'https://tea.example/oolong'})
        self.assertIn('Filled in anew', ' '.join(post.message_ids.mapped('body')))
        self.assertEqual((post | edited).mapped('state'), ['published', 'published'])

    def test_a_draft_is_filled_in_by_its_button(self):
        post = self.make_post(text='By hand')
        self.record.name = 'Oolong'
        post.action_fill()
        self.assertEqual(post.text, 'New: Oolong')
        post.action_submit()
        with self.assertRaises(UserError):
            post.action_fill()

    def test_it_is_held_back_with_a_reason(self):
        other_company = self.env['res.company'].create({'name': 'Elsewhere'})
        colleague = new_test_user(self.env, 'sc_leaves', 'social_crm.social_crm_group_marketing')
        cases = [
            ('archived', lambda record: record.action_archive()),
            (
                'condition of the template: Reference = on sale',
                lambda record: record.write({'ref': 'gone'}),
            ),
            ('was deleted', lambda record: record.unlink()),
            ('may not read', lambda record: record.write({'company_id': other_company.id})),
            ('too long', lambda record: record.write({'name': 'x' * 600})),
            ('not active any more', lambda _record: colleague.action_archive()),
        ]
        posts = self.env['social.crm.post']
        for place, (_reason, _change) in enumerate(cases):
            record = self.record.copy({'ref': 'on sale', 'name': f'Tea {place}'})
            posts |= self.make_post(
                self.template.with_user(colleague), record, **self.later(hours=2)
            )
        posts.action_submit()
        for post, (_reason, change) in zip(posts, cases, strict=True):
            change(self.env['res.partner'].browse(post.record_id))
            self.pass_time(post.publication_ids, hours=2, minutes=5)
            self.deliver()
        self.assertFalse(self.network.posts)
        for post, (reason, _change) in zip(posts.sudo(), cases, strict=True):
            with self.subTest(reason):
                self.assertEqual((post.state, post.publication_ids.due_at), ('draft', False))
                self.assertIn(reason, post.failure_summary)

    def test_a_post_that_is_held_back_goes_out_later(self):
        post = self.make_post()
        self.record.ref = 'gone'
        with self.assertRaisesRegex(UserError, 'Reference = on sale'):
            post.action_submit()
        post.write(self.later(hours=2))
        post.action_submit()
        self.pass_time(post.publication_ids, hours=2, minutes=5)
        self.deliver()
        self.assertTrue(post.held_back_reason)
        self.assertEqual(post.activity_ids.user_id, self.author)
        self.record.ref = 'on sale'
        post.schedule = 'now'
        post.action_submit()
        self.deliver()
        self.assertRecordValues(
            post, [{'state': 'published', 'held_back_reason': False, 'activity_ids': []}]
        )

    def test_what_was_approved_is_what_goes_out(self):
        self.company.social_crm_post_approval = True
        post, same = (self.make_post(**self.later(hours=2)) for _one in range(2))
        same.text = 'By hand'
        self.record.name = 'Oolong'
        (post | same).action_submit()
        self.assertEqual(post.text, 'New: Oolong', 'approvers see what the record says now')
        (post | same).with_user(self.approver).action_approve()
        self.record.name = 'Black Tea'
        self.pass_time((post | same).publication_ids, hours=2, minutes=5)
        self.deliver()
        self.assertEqual(self.network.texts, ['By hand'])
        self.assertEqual(post.state, 'waiting')
        self.assertIn('has changed', ' '.join(post.message_ids.mapped('body')))
        self.assertIn(self.approver, post.activity_ids.user_id)

    # --- rights

    def test_only_what_the_user_may_read(self):
        hidden = self.record.copy(
            {'company_id': self.env['res.company'].create({'name': 'Elsewhere'}).id}
        )
        with self.assertRaises(AccessError):
            self.make_post(record=hidden)
        post = self.make_post()
        for values in ({'record_id': hidden.id}, {'filler_id': self.manager.id}, {'filled': {}}):
            with self.subTest(values), self.assertRaises(AccessError):
                post.write(values)
        copy = post.copy()
        self.assertFalse(copy.template_id or copy.record_id or copy.filler_id)
        self.record.company_id = hidden.company_id
        with self.assertRaises(AccessError):
            post.action_fill()
        post.invalidate_recordset()
        self.assertFalse(post.record_ref)

    def test_code_is_written_by_editors_of_templates_alone(self):
        self.assertFalse(self.author.has_group('mail.group_mail_template_editor'))
        code = '{{ object.sudo().website }}'
        plain = self.make_template(self.author, text='{{ object.name }}')
        self.assertEqual(self.make_post(plain).text, 'Green Tea')
        line = Command.create({'network': 'mastodon', 'text': code})
        ran = []
        self.patch(type(plain), '_rendered', lambda *args: ran.append(args))
        for values in ({'text': code}, {'link': code}, {'text_ids': [line]}):
            with self.subTest(values):
                with self.assertRaises(AccessError):
                    plain.write(values)
                with self.assertRaises(AccessError):
                    self.make_template(self.author, **values)
        self.assertFalse(ran, 'refused before it is tried')
        with self.assertRaises(AccessError):
            self.make_template(self.user)

    def test_templates_belong_to_a_company(self):
        company = self.env['res.company'].create({'name': 'Elsewhere'})
        template = self.template.sudo().copy({'company_id': company.id, 'account_ids': False})
        found = self.env['social.crm.post.template'].with_user(self.author).search([])
        self.assertIn(self.template, found)
        self.assertNotIn(template, found)
        with self.assertRaises(UserError):
            template.account_ids = self.account
        self.author.company_ids |= company
        template = self.make_template(text='By {{ object.env.company.name }}')
        post = self.make_post(template)
        template.sudo().write({'company_id': company.id, 'account_ids': False})
        post.action_submit()
        self.assertEqual(post.text, f'By {self.company.name}', 'with the values of its own company')

    def test_what_is_wrong_with_a_template_is_said_when_it_is_saved(self):
        cases = [
            ({'text': '{{ object.nothing }}'}, 'does not work'),
            ({'image_field': 'name'}, 'no field that holds a picture'),
            ({'domain': '[("nothing", "=", 1)]'}, 'cannot be read'),
            ({'domain': 'open("x")'}, 'cannot be read'),
            ({'model_id': self.env['ir.model']._get_id('mail.thread')}, 'records that are stored'),
        ]
        for values, reason in cases:
            with self.subTest(reason), self.assertRaisesRegex(ValidationError, reason):
                self.make_template(**values)
        with self.assertRaisesRegex(UserError, 'at most 50'):
            self.make_post(record=self.env['res.partner'].browse(range(1, 60)))
