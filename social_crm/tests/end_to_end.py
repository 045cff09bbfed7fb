"""What end-to-end tests share: a real Odoo server with its cron threads, a real fediverse server
with people on it, and a real browser that signs in to both."""

import io
import time
import unittest
from contextlib import ExitStack

from PIL import Image

from odoo.tests import BaseCase

try:
    from tools import browser, database, odoo_process, servers
except ImportError:  # run by Odoo itself, outside of the repository
    servers = None

PEOPLE = ('brand', 'customer', 'stranger', 'angry')


@unittest.skipUnless(servers, 'needs the tools of the repository')
class EndToEndCase(BaseCase):
    """The servers run for the whole class; :attr:`page` shows Odoo, signed in as administrator."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        stack = ExitStack()
        cls.addClassCleanup(stack.close)
        cls.network = cls.start_network(stack)
        clone = stack.enter_context(database.clone(assets=True))
        cls.odoo = stack.enter_context(odoo_process.start(clone, crons=3))
        cls.page = stack.enter_context(browser.chromium()).new_page()
        browser.sign_in(cls.page, cls.odoo.url)
        cls.shots = 0

    @classmethod
    def start_network(cls, stack):
        """Start the network's servers, to be stopped by ``stack``; other networks override it."""
        return stack.enter_context(servers.snac(people=PEOPLE))

    # --- Odoo ------------------------------------------------------------------------------------

    def ask(self, model, domain, *names):
        """Return the records of a domain as dictionaries of the named fields."""
        return self.odoo.call(model, 'search_read', domain, list(names))

    def make(self, model, **values):
        """Create a record; return its id."""
        return self.odoo.call(model, 'create', [values])[0]

    def wait_for(self, model, domain, *names, seconds=60):
        """Return the first record of a domain as soon as there is one."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = self.ask(model, domain, *names)
            if found:
                return found[0]
            time.sleep(1)
        raise AssertionError(f'no {model} with {domain} within {seconds} s; log: {self.odoo.log}')

    # --- network ---------------------------------------------------------------------------------

    def seen_by(self, login, text):
        """Return the post as it stands in somebody's timeline, once it is there."""
        for _try in range(60):
            home = self.network.call(
                'GET', '/api/v1/timelines/home', token=self.network.token(login)
            )
            for status in home:
                if text in status['content']:
                    return status
            time.sleep(0.5)
        raise AssertionError(f'{text} has not reached {login}')

    # --- browser ---------------------------------------------------------------------------------

    def open(self, action):
        """Open one of the module's actions in the web client."""
        self.page.goto(f'{self.odoo.url}/odoo/action-{action}')
        browser.settle(self.page)

    def press(self, name):
        """Press the button with this text."""
        self.page.get_by_role('button', name=name, exact=True).first.click()
        browser.settle(self.page)

    def fill(self, field, text):
        """Fill a field of the form in front."""
        inside = '.modal ' if self.page.locator('.modal:visible').count() else ''
        field = self.page.locator(f'{inside}.o_field_widget[name={field}]')
        field.locator('input, textarea').first.fill(text)

    def connect(self, login):
        """Connect an account through Odoo's dialog and the network's own consent page."""
        page = self.page
        self.open('social_crm.social_crm_account_action')
        self.press('Connect an Account')
        self.fill('server', self.network.url)
        page.get_by_role('button', name='Continue to Sign In').click()
        page.wait_for_url(f'{self.network.url}/**')
        page.fill('input[name=login]', login)
        page.fill('input[name=passwd]', self.network.accounts[login].password)
        page.locator('input[type=submit]').click()
        page.wait_for_url(f'{self.odoo.url}/odoo/**')
        browser.settle(page)
        return self.wait_for(
            'social.crm.account', [['handle', '=like', f'{login}@%']], 'state', seconds=10
        )

    def write_post(self, text, when, accounts):
        """Write and schedule a post with a picture as a person does; return its id."""
        page = self.page
        page.goto(f'{self.odoo.url}/odoo/action-social_crm.social_crm_post_action/new')
        browser.settle(page)
        field = page.locator('.o_field_widget[name=account_ids] input')
        for login in accounts:
            field.fill(login)
            page.locator('.o-autocomplete--dropdown-item', has_text=login).first.click()
        self.fill('text', text)
        picture = io.BytesIO()
        Image.new('RGB', (640, 480), 'teal').save(picture, 'PNG')
        page.locator('.o_field_widget[name=attachment_ids] input[type=file]').set_input_files(
            {'name': 'desk.png', 'mimeType': 'image/png', 'buffer': picture.getvalue()}
        )
        page.locator('.o_field_widget[name=attachment_ids]', has_text='desk.png').wait_for()
        page.locator('.o_field_widget[name=schedule] input').nth(1).check()
        browser.settle(page)
        tz = page.locator('.o_field_widget[name=tz] select, .o_field_widget[name=tz] input').first
        if tz.evaluate('element => element.tagName') == 'SELECT':
            tz.select_option(label='UTC')
        else:
            tz.fill('UTC')
            tz.press('Tab')
        day = page.locator('.o_field_widget[name=scheduled_date]')
        day.locator('input, button').first.click()
        day.locator('input').first.fill(f'{when:%m/%d/%Y}')
        page.keyboard.press('Escape')
        self.fill('scheduled_time', f'{when:%H:%M}')
        page.keyboard.press('Tab')
        browser.settle(page)
        self.press('Schedule')
        return self.wait_for('social.crm.post', [['text', '=', text]], seconds=10)['id']
