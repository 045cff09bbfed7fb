"""`./dev screenshot PATH FILE`: a picture of a page of the running instance, logged in."""

import argparse
import sys

from . import browser, demo


def main(arguments):
    parser = argparse.ArgumentParser(prog='./dev screenshot', description=__doc__)
    parser.add_argument('path', help='for example /odoo/crm, or a whole address')
    parser.add_argument('file', help='where the PNG goes')
    parser.add_argument('--size', default='1400x900', help='width x height in pixels')
    parser.add_argument('--script', help='JavaScript to run on the page before the picture')
    parser.add_argument('--wait', help='CSS selector to wait for')
    parser.add_argument('--login', default='admin')
    parser.add_argument('--password', default='admin')
    parser.add_argument('--full', action='store_true', help='the whole page, not only the window')
    parser.add_argument('--url', help='another instance than that of ./dev run')
    options = parser.parse_args(arguments)
    url = options.url or (demo.ADDRESS.read_text() if demo.ADDRESS.exists() else None)
    if not url:
        sys.exit('There is no running instance: start one with `./dev run`, or name it by --url.')
    size = tuple(int(part) for part in options.size.split('x'))
    with browser.chromium(size) as context:
        page = context.new_page()
        errors = []
        page.on('pageerror', lambda error: errors.append(str(error)))
        page.on('console', lambda line: errors.append(line.text) if line.type == 'error' else None)
        try:
            _open(page, url, options)
        finally:
            # Also when something failed: it shows what.
            page.screenshot(path=options.file, full_page=options.full)
    for error in errors:
        print(f'console error: {error}', file=sys.stderr)


def _open(page, url, options):
    browser.sign_in(page, url, options.login, options.password)
    page.goto(options.path if '://' in options.path else url + options.path)
    browser.settle(page)
    if options.script:
        page.evaluate(options.script)
        browser.settle(page)
    if options.wait:
        page.wait_for_selector(options.wait)


if __name__ == '__main__':
    main(sys.argv[1:])
