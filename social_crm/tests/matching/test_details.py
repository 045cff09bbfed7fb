"""Names as people write them, addresses in what they write."""

import time

import pytest

from social_crm.matching import emails, person_name, phones


@pytest.mark.parametrize(
    ('display', 'name'),
    [
        ('Rita K. | Acme', 'Rita K.'),
        ('Dr. Anna Weiß 🌻', 'Anna Weiß'),
        ('Prof. Dr. Jan Novák', 'Jan Novák'),
        ('MARIE DUBOIS', 'Marie Dubois'),
        ('Sam Lee (they/them)', 'Sam Lee'),
        ('Sam Lee she/her', 'Sam Lee'),
        ('山田太郎', '山田太郎'),
        ("Siobhán O'Neill :verified:", "Siobhán O'Neill"),
        ('Jean-Luc Petit – Acme', 'Jean-Luc Petit'),
        ('Tom @ Acme', 'Tom'),
        ('Eva Roth, PhD', 'Eva Roth'),
        ('🔥🔥', ''),
        ('', ''),
    ],
)
def test_person_name(display, name):
    assert person_name(display) == name


def test_emails():
    text = 'Write to Rita.K@Acme.example. or rita.k@acme.example, not @rita@social.example'
    assert emails(text) == ('rita.k@acme.example',)
    assert emails('see https://x.example/@a@b.example') == ()


def test_phones_have_a_country_code():
    assert phones('call +43 (316) 123-456 or 0043 316 123456') == ('+43316123456',)
    assert phones('order 123456789, 12.10.2026, $ 1000000000') == ()


def test_hostile_text_is_quick():
    begin = time.perf_counter()
    for text in ('a.' * 10_000, 'a@' * 10_000, '+1 ' * 7_000, '((' * 5_000):
        emails(text), phones(text), person_name(text)
    assert time.perf_counter() - begin < 2
