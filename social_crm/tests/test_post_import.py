from odoo.tests import new_test_user, tagged
from odoo.tools import file_open

from .delivering import DeliveryCase

COLUMNS = {
    'Text': 'text',
    'Accounts': 'account_ids',
    'Campaign': 'campaign_id',
    'Wall Time': 'scheduled_wall',
    'Time Zone': 'tz',
    'Link': 'link',
    'First Comment': 'first_comment',
    'Status on Import': 'import_status',
}
OPTIONS = {'quoting': '"', 'separator': ',', 'has_headers': True, 'encoding': 'utf-8'}


@tagged('post_install', '-at_install')
class TestPostImport(DeliveryCase):
    """Posts from a file, through Odoo's own import."""

    def reader(self, content, user=None):
        return (
            self.env['base_import.import']
            .with_user(user or self.author)
            .create(
                {
                    'res_model': 'social.crm.post',
                    'file': content,
                    'file_name': 'posts.csv',
                    'file_type': 'text/csv',
                }
            )
        )

    def load(self, *rows, header='Text,Accounts,Wall Time,Time Zone,Status on Import', **options):
        """Import rows; return the posts and the messages."""
        user, dryrun = options.pop('user', None), options.pop('dryrun', False)
        names = header.split(',')
        answer = self.reader('\n'.join([header, *rows]).encode(), user).execute_import(
            [COLUMNS[name] for name in names], names, {**OPTIONS, **options}, dryrun=dryrun
        )
        posts = self.env['social.crm.post'].with_user(user or self.author)
        return posts.browse(answer['ids'] or []), answer['messages']

    def test_the_example_file_fits(self):
        (offered,) = self.env['social.crm.post'].get_import_templates()
        with file_open(offered['template'].lstrip('/')) as file:
            content = file.read()
        names = content.splitlines()[0].split(',')
        self.assertEqual(names, list(COLUMNS))
        preview = self.reader(content.encode()).parse_preview(OPTIONS)
        self.assertEqual(
            {names[int(place)]: path for place, path in preview['matches'].items()},
            {name: [field] for name, field in COLUMNS.items()},
        )
        shown = (self.account.display_name, self.second.display_name)
        content = content.replace('@acme@mastodon.example (Mastodon)', shown[0])
        rows = content.replace('@acme.example (Bluesky)', shown[1]).splitlines()
        posts, messages = self.load(*rows[1:], header=rows[0])
        self.assertFalse(messages)
        self.assertRecordValues(
            posts,
            [
                {
                    'state': 'scheduled',
                    'account_ids': (self.account | self.second).ids,
                    'scheduled_wall': '2030-03-01 09:30',
                    'tz': 'Europe/Berlin',
                    'first_comment': 'Free delivery until Sunday.',
                    'user_id': self.author.id,
                },
                {
                    'state': 'draft',
                    'account_ids': self.account.ids,
                    'scheduled_wall': '2030-03-04 18:00',
                    'tz': 'America/New_York',
                    'first_comment': False,
                    'user_id': self.author.id,
                },
            ],
        )
        self.assertEqual(str(posts[0].publication_ids[0].due_at), '2030-03-01 08:30:00')

    def test_a_bad_row_stops_all_and_says_why(self):
        good = f'Fine,{self.account.handle},2030-01-07 09:30,UTC,Scheduled'
        cases = [
            ('Hi,nobody@example.org,,UTC,Draft', 'No matching record found'),
            ('Hi,@acme@mastodon.example (Bluesky),,UTC,Draft', 'No matching record found'),
            (f'Hi,{self.account.handle},tomorrow,UTC,Draft', 'no wall time'),
            (f'Hi,{self.account.handle},2030-03-31 02:30,Europe/Berlin,Draft', 'no 02:30'),
            (f'Hi,{self.account.handle},2030-01-07 09:30,Mars/Base,Draft', "'Mars/Base' not found"),
            (f'Hi,{self.account.handle},2030-01-07 09:30,UTC,Published', "'Published' not found"),
            (f'Hi,{self.account.handle},,UTC,Scheduled', 'give a wall time'),
            (f'Hi,{self.account.handle},2020-01-07 09:30,UTC,Scheduled', 'has passed'),
            (f'{"x" * 501},{self.account.handle},2030-01-07 09:30,UTC,Scheduled', 'too long'),
        ]
        count = self.env['social.crm.post'].search_count([])
        for row, reason in cases:
            with self.subTest(reason):
                posts, messages = self.load(good, row)
                self.assertFalse(posts)
                errors = [one for one in messages if one['type'] == 'error']
                self.assertIn(reason, errors[-1]['message'])
                self.assertEqual(errors[-1]['rows'], {'from': 1, 'to': 1})
        self.assertEqual(self.env['social.crm.post'].search_count([]), count)
        self.assertFalse(self.network.posts)

    def test_a_name_of_several_accounts_is_refused(self):
        self.second.name = self.account.name
        posts, messages = self.load(f'Hi,{self.account.name},,UTC,Draft')
        self.assertFalse(posts)
        self.assertIn('write handle and network', messages[0]['message'])
        posts, messages = self.load(f'Hi,{self.second.display_name},,UTC,Draft')
        self.assertEqual(posts.account_ids, self.second)

    def test_the_rights_are_those_of_the_buttons(self):
        self.company.social_crm_post_approval = True
        row = f'Hi,@{self.account.handle},2030-01-07 09:30,UTC,Scheduled'
        posts, messages = self.load(row)
        self.assertEqual((posts.state, messages), ('waiting', []))
        self.assertIn(self.approver, posts.activity_ids.user_id)
        posts, _messages = self.load(row, user=self.manager)
        self.assertEqual((posts.state, posts.approved_by_id), ('scheduled', self.manager))
        posts, messages = self.load(row, user=self.user)
        self.assertFalse(posts)
        self.assertIn('not allowed', messages[0]['message'])
        COLUMNS_OF_STATE = ['text', 'account_ids', 'state']
        answer = (
            self.env['social.crm.post']
            .with_user(self.author)
            .load(COLUMNS_OF_STATE, [['Hi', self.account.handle, 'published']])
        )
        self.assertFalse(answer['ids'])

    def test_accounts_of_others_are_not_found(self):
        own = self.connect(self.app, self.manager, kind='personal', username='boss', number='79')
        other = new_test_user(self.env, 'sc_other', 'social_crm.social_crm_group_marketing')
        posts, messages = self.load(f'Hi,{own.handle},,UTC,Draft', user=other)
        self.assertFalse(posts)
        self.assertIn('No matching record found', messages[0]['message'])

    def test_a_trial_run_leaves_nothing(self):
        count = self.env['social.crm.post'].search_count([])
        _posts, messages = self.load(
            f'Hi,{self.account.handle},2030-01-07 09:30,UTC,Scheduled', dryrun=True
        )
        self.assertFalse(messages)
        self.assertEqual(self.env['social.crm.post'].search_count([]), count)
