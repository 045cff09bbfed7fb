"""Texts like real posts, always the same ones: 25 words, several languages, one in ten without a
given language, now and then a handle, a hashtag, a link or an emoji."""

import random

WORDS = {
    'en': 'the a we you they this new old good bad great terrible love hate order desk chair table '
    'office shop price '
    'quick slow broken fine today tomorrow yesterday delivery support service team really very '
    'never always '
    'please thanks can could would where when how much long wait need want bought sold looks '
    'feels works nice',
    'de': 'der die das wir ihr sie dieser neu alt gut schlecht toll furchtbar liebe hasse '
    'bestellung tisch stuhl '
    'büro laden preis schnell langsam kaputt heute morgen gestern lieferung hilfe dienst team '
    'wirklich sehr '
    'nie immer bitte danke kann könnte würde wo wann wie viel lange warten brauche will gekauft '
    'sieht fühlt',
    'fr': 'le la les nous vous ils ce nouveau vieux bon mauvais super terrible aime déteste '
    'commande table chaise '
    'bureau magasin prix rapide lent cassé bien demain hier livraison aide service équipe '
    'vraiment très '
    'jamais toujours merci peut pourrait où quand comment combien longtemps attendre besoin veux '
    'acheté semble',
    'es': 'el la los nosotros ustedes ellos este nuevo viejo bueno malo genial terrible amo odio '
    'pedido mesa silla '
    'oficina tienda precio rápido lento roto bien hoy mañana ayer entrega ayuda servicio equipo '
    'realmente muy '
    'nunca siempre gracias puede podría dónde cuándo cómo cuánto tiempo esperar necesito quiero '
    'comprado parece',
}
SHARES = ['en'] * 6 + ['de'] * 2 + ['fr', 'es']
EXTRAS = ('#office', '#desk', '@friend', 'https://shop.example/p/42', '😍', '👍', '😡', '!')


def texts(number, seed=1):
    """Return (text, language given by the network or empty) tuples."""
    rng = random.Random(seed)
    words = {language: line.split() for language, line in WORDS.items()}
    posts = []
    for index in range(number):
        language = rng.choice(SHARES)
        chosen = rng.choices(words[language], k=24)
        chosen.insert(
            rng.randrange(25), rng.choice(EXTRAS) if rng.random() < 0.5 else f'item{index % 977}'
        )
        posts.append((' '.join(chosen), '' if index % 10 == 0 else language))
    return posts


def notifications(posts, first=1, regulars=True, host='social.example.com'):
    """Return the posts as a Mastodon server's notifications, newest first; half of the authors
    write for the first time, half are regulars (all are new without ``regulars``)."""
    found = []
    for index, (text, language) in enumerate(posts):
        number = first + index
        person = 1000 + number % 500 if regulars and index % 2 else 1_000_000 + number
        account = {
            'id': str(person),
            'username': f'person{person}',
            'acct': f'person{person}',
            'display_name': f'Person {person}',
            'url': f'https://{host}/@person{person}',
            'uri': f'https://{host}/users/person{person}',
            'avatar': f'https://{host}/a/{person}.png',
            'note': '<p>Likes desks</p>',
            'followers_count': person % 5000,
            'following_count': 10,
            'statuses_count': 100,
            'bot': False,
            'fields': [],
            'emojis': [],
            'created_at': '2020-01-01T00:00:00.000Z',
        }
        minute, second = divmod(index, 60)
        created = f'2026-09-01T08:{minute % 60:02}:{second:02}.000Z'
        status = {
            'id': f'{number:09}',
            'uri': f'https://{host}/users/person{person}/statuses/{number}',
            'url': f'https://{host}/@person{person}/{number}',
            'created_at': created,
            'edited_at': None,
            'visibility': 'public',
            'language': language or None,
            'in_reply_to_id': None,
            'in_reply_to_account_id': None,
            'spoiler_text': '',
            'sensitive': False,
            'content': f'<p><span class="h-card"><a href="https://{host}/@acme" class="u-url '
            f'mention">@<span>acme</span></a></span> {text}</p>',
            'account': account,
            'mentions': [
                {'id': '77', 'username': 'acme', 'acct': 'acme', 'url': f'https://{host}/@acme'}
            ],
            'tags': [],
            'media_attachments': [],
            'emojis': [],
            'reblog': None,
            'replies_count': 0,
            'reblogs_count': 0,
            'favourites_count': 0,
        }
        found.insert(
            0,
            {
                'id': str(number),
                'type': 'mention',
                'created_at': created,
                'account': account,
                'status': status,
            },
        )
    return found
