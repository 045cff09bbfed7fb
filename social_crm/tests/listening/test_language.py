"""Language of posts as they come."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from social_crm.listening import detect, normalise_language

POSTS = [
    ('en', '@acme_help my order was supposed to arrive on Monday, where is it? 😡 https://t.co/x1'),
    ('de', 'Die Lieferung kam heute viel zu spät, der Kundenservice antwortet nicht #Ärger'),
    ('fr', "J'adore cette marque, la livraison a été très rapide, merci à toute l'équipe !"),
    ('es', 'El envío llegó con dos días de retraso y nadie contesta el teléfono'),
    ('it', 'Ho ricevuto il pacco ieri ma mancava la metà degli articoli ordinati'),
    ('pt', 'Meu pedido ainda não chegou e ninguém responde as minhas mensagens'),
    ('nl', 'Mijn bestelling is nog steeds niet aangekomen en niemand reageert'),
    ('pl', 'Paczka przyszła uszkodzona, proszę o zwrot pieniędzy'),
    ('ru', 'Заказ пришёл вовремя, упаковка целая, спасибо большое магазину'),
    ('tr', 'Siparişim hala gelmedi ve kimse telefona cevap vermiyor'),
    ('ar', 'لم يصل طلبي حتى الآن ولا أحد يرد على رسائلي'),
    ('hi', 'मेरा ऑर्डर अभी तक नहीं आया और कोई जवाब नहीं दे रहा है'),
    ('zh', '我上周订的货到现在还没有收到，客服也没有回复'),
    ('ja', '注文した商品がまだ届きません。サポートの返事もありません'),
    ('ja', '最高です'),
    ('ko', '감사합니다'),
    ('th', 'ขอบคุณ'),
    ('el', 'ευχαριστώ'),
    ('he', 'תודה'),
    ('zh', '優の良品在台北開了新的分店歡迎大家光臨參觀選購'),
]


@pytest.mark.parametrize(('language', 'post'), POSTS)
def test_detect(language, post):
    assert detect(post) == language


@pytest.mark.parametrize(
    'post',
    [
        '',
        ' ',
        'hello',
        'so good',
        'ok thank you',
        '東京',
        '😍😍😍',
        'https://acme.com/buy/this/now/x',
        '@a @b @c @d #e #f #g #h',
        '1 2 3 4 5 6',
        'спасибо',
        'asdf qwer zxcv uiop hjkl',
        '\x00\ud800',
        '!!!! ??',
    ],
)
def test_unknown(post):
    assert detect(post) == ''


@pytest.mark.parametrize(
    ('given', 'code'),
    [
        ('en', 'en'),
        ('en-US', 'en'),
        ('pt_BR', 'pt'),
        ('zh-Hans', 'zh'),
        ('iw', 'he'),
        ('in', 'id'),
        ('EN', 'en'),
        ('sr@latin', 'sr'),
        ('de_DE.UTF-8', 'de'),
        ('no', 'nb'),
        ('nn', 'nn'),
        ('eng', 'en'),
        ('fil', 'tl'),
        (' fr ', 'fr'),
        ('und', ''),
        ('zxx', ''),
        ('qme', ''),
        ('', ''),
        ('x' * 1000, ''),
        ('englisch', ''),
        ('-', ''),
        ('e n', ''),
        ('\x00', ''),
    ],
)
def test_normalise(given, code):
    assert normalise_language(given) == code


@pytest.mark.parametrize(
    'post',
    ['a' * 100_000, 'a b ' * 50_000, '@' * 100_000, 'a@' * 50_000, '東' * 100_000, '🔥' * 100_000],
)
def test_huge_texts(post):
    assert detect(post) in ('', 'zh') or len(detect(post)) == 2


def test_threads_agree():
    posts = [post for _language, post in POSTS] * 5
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(detect, posts)) == [language for language, _post in POSTS] * 5
