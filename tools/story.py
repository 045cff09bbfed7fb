"""The people on the demo's fediverse server and what they have to say."""

import random
import threading
import time
import urllib.error

from .steps import say

BRAND = 'acme'
LOOK_EVERY = 15  # seconds
PEOPLE = {
    BRAND: ('Acme Furniture', 'Desks and chairs that last. We read every message.'),
    'ada': ('Ada Okafor', 'Office manager, plants, coffee.'),
    'bruno': ('Bruno Keller', 'Schreinert am Wochenende.'),
    'chloe': ('Chloé Martin', 'Architecte à Lyon.'),
    'dan': ('Dan Price', 'I review things that I sit on.'),
}
#: Who says what; `{brand}` becomes a mention that notifies the brand.
SCENES = (
    ('ada', '{brand} Love the new standing desk, it made my whole week! 😍', {}),
    ('dan', '{brand} third week without an answer about my broken chair. Terrible service.', {}),
    ('bruno', '{brand} Liefert ihr auch nach Österreich? Wir brauchen zwanzig Schreibtische.', {}),
    ('chloe', '{brand} Bonjour, quel est le délai pour douze chaises ? #mobilier', {}),
    (
        'ada',
        'Which desk would you buy for a small office? Looking for quotes. #officefurniture',
        {},
    ),
    ('dan', '{brand} my order number is 4711, can you call me?', {'visibility': 'direct'}),
    ('bruno', 'Acme hat wieder geliefert, wie immer pünktlich. 👍 #acme', {}),
    ('ada', '{brand} We need a quote for 40 desks for our new office, who can I talk to?', {}),
    ('chloe', '{brand} Merci pour la réponse rapide ! 😊', {}),
    ('dan', '{brand} update: the new chair arrived broken too. I want my money back 😡', {}),
)


def add_people(server):
    """Create the people; everybody follows everybody, so that timelines are not empty."""
    for login, (name, biography) in PEOPLE.items():
        server.add_account(login, name, biography)
    for login in PEOPLE:
        for other in PEOPLE:
            if login != other:
                server.follow(login, other)


def play(server, pause=0):
    """Let the people say everything once."""
    for login, text, values in SCENES:
        server.note(login, text.format(brand=f'@{BRAND}'), **values)
        say(f'  story: {login} wrote: {text.format(brand=f"@{BRAND}")}')
        time.sleep(pause and pause * random.uniform(0.5, 1.5))


def connect(odoo, server):
    """Connect the brand's account in Odoo, the way its dialog and the network's pages do it."""
    connected = [('network', '=', 'mastodon'), ('state', '=', 'connected')]
    if odoo.call('social.crm.account', 'search_count', connected):
        return
    values = {'network': 'mastodon', 'server': server.url, 'kind': 'brand'}
    dialog = odoo.call('social.crm.connect', 'create', values)
    action = odoo.call('social.crm.connect', 'action_connect', [dialog])
    back = server.approve(action['url'], BRAND)
    with odoo.open(back):
        # Looked at every 60 seconds by default, and snac takes some to hand a post over.
        account = odoo.call('social.crm.account', 'search', connected)
        odoo.call('social.crm.account', 'write', account, {'poll_interval': LOOK_EVERY})
        say(f'  story: {PEOPLE[BRAND][0]} is connected; its mentions arrive within a minute')


def play_in_background(odoo, server):
    """Let somebody say something every now and then, beginning at once."""

    def loop():
        try:
            connect(odoo, server)
        except (RuntimeError, OSError) as error:
            say(f'  story: {BRAND} could not be connected, please do it by hand ({error})')
        pause = 12
        while server.process.is_running():
            try:
                play(server, pause)
                pause = 300  # who leaves it running does not find the same words by the hundred
            except urllib.error.URLError as error:
                say(f'  story: the fediverse server does not answer ({error})')
                return

    threading.Thread(target=loop, daemon=True).start()
