"""Chromium under control, for end-to-end tests and screenshots (Playwright with Debian's Chromium).

    with browser.chromium() as context:          # a Playwright BrowserContext
        page = context.new_page()
        browser.sign_in(page, odoo.url)
        page.goto(f'{odoo.url}/odoo/crm')

Nothing but this machine can be reached from it.
"""

from contextlib import contextmanager

from . import environment

#: As root Chromium has no sandbox; every name but this machine's resolves to nothing.
FLAGS = (
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--no-first-run',
    '--no-default-browser-check',
    '--force-color-profile=srgb',
    '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1',
)


SETTLE = """([quiet, limit]) => new Promise((done) => {
    let timer = setTimeout(done, quiet);
    const observer = new MutationObserver(() => {
        clearTimeout(timer);
        timer = setTimeout(done, quiet);
    });
    observer.observe(document.body, {childList: true, subtree: true, characterData: true});
    setTimeout(done, limit);
})"""


@contextmanager
def chromium(size=(1400, 900), **options):
    """Give a fresh browser context; `options` go to Playwright's `new_context`."""
    from playwright.sync_api import sync_playwright

    width, height = size
    with sync_playwright() as playwright:
        program = environment.chromium()
        browser = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        try:
            context = browser.new_context(viewport={'width': width, 'height': height}, **options)
            context.set_default_timeout(60_000)  # a machine may be busy
            yield context
        finally:
            browser.close()


def sign_in(page, url, login='admin', password='admin'):
    """Sign in to Odoo through its login page."""
    page.goto(f'{url}/web/login')
    page.fill('input[name=login]', login)
    page.fill('input[name=password]', password)
    page.click('form.oe_login_form button[type=submit]')
    page.wait_for_selector('.o_web_client .o_main_navbar, .o_web_client .o_navbar')


def settle(page, quiet=500, limit=10_000):
    """Wait until the page shows what it loads: nothing has changed on it for `quiet` ms.

    (Playwright's `networkidle` never comes: Odoo's websocket lives in a shared worker.)
    """
    page.wait_for_function("!document.querySelector('.o_loading_indicator, .o_blockUI')")
    page.evaluate(SETTLE, [quiet, limit])
