"""Does at a local data server what a person does on its page: sign in, agree or refuse.

The calls are those of the page's own script. The end-to-end tests press the page's real buttons.
"""

from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

_API = '/@atproto/oauth-provider/~api'


def approve(url, account, accept=True):
    """Return the parameters of the callback that the browser is sent to."""
    parts = urlsplit(url)
    assert parts.hostname in {'localhost', '127.0.0.1'}, 'this machine only'
    origin = f'{parts.scheme}://{parts.netloc}'
    browser = requests.Session()
    arriving = {
        'Sec-Fetch-Site': 'cross-site',
        'Sec-Fetch-Mode': 'navigate',
        'Sec-Fetch-Dest': 'document',
    }
    browser.get(url, headers=arriving, timeout=20).raise_for_status()
    headers = {
        'Origin': origin,
        'Referer': url,
        'Sec-Fetch-Site': 'same-origin',
        'Sec-Fetch-Mode': 'same-origin',
        'Sec-Fetch-Dest': 'empty',
    }

    def call(endpoint, **data):
        for cookie in browser.cookies:  # browsers take this machine as safe without TLS
            cookie.secure = False
        headers['X-CSRF-Token'] = browser.cookies['csrf-token']
        answer = browser.post(origin + _API + endpoint, json=data, headers=headers, timeout=20)
        answer.raise_for_status()
        return answer.json()

    found = call(
        '/sign-in', locale='en', username=account.handle, password=account.password, remember=False
    )
    headers['Authorization'] = f'Bearer {found["ephemeralToken"]}'
    answer = call('/consent', did=found['account']['did']) if accept else call('/reject')
    leaving = {**arriving, 'Referer': url, 'Sec-Fetch-Site': 'same-origin'}
    for cookie in browser.cookies:
        cookie.secure = False
    last = browser.get(answer['url'], headers=leaving, timeout=20, allow_redirects=False)
    target = urljoin(last.url, last.headers['Location'])
    return target, dict(parse_qsl(urlsplit(target).query))
