"""How sure it is that a profile is a contact's: what links, what is asked, what is dropped."""

import time
from dataclasses import replace

import pytest

from social_crm.matching import (
    LINK,
    SUGGEST,
    Contact,
    Crowd,
    Link,
    Person,
    contact_keys,
    namesakes,
    person_keys,
    score,
)
from social_crm.matching.addresses import parse_email, parse_site

ADA = Contact(
    1,
    'Ada Byron',
    'ada.byron@engines.example',
    phone='+43316123456',
    website='https://www.byron.example/',
    company='Engines GmbH',
    company_website='engines.example',
    job='Analyst',
    city='Graz',
)
GMAIL = replace(ADA, email='brass.wheel@gmail.com', website='', company_website='')
OFFICE = replace(ADA, email='office@engines.example')
PAGE = 'https://social.example/@ada'
ACME = Contact(2, 'Acme GmbH', 'info@acme.example', website='acme.example', is_company=True)


def person(name='Ada Byron', handle='ada@social.example', links=(), **values):
    return Person(9, 'mastodon', handle, name, links=tuple(links), **values)


def codes(result):
    return {reason.code for reason in result.reasons}


@pytest.mark.parametrize(
    ('contact', 'profile'),
    [
        (ADA, person(bio='Write to ada.byron@engines.example')),
        (ADA, person('Byron Ada 🌻', bio='ada.byron [at] engines [dot] example')),
        (ADA, person(links=[Link('mailto:Ada.Byron@engines.example')])),
        (ADA, person(messages='I am ada.byron@engines.example')),
        (GMAIL, person(bio='b.rasswheel+news@googlemail.com')),
        (ADA, person(links=[Link('https://byron.example/about', True)])),
        (ADA, person(handle='ada.byron@engines.example')),
        (ADA, person(handle='byron.example', domain_handle=True)),
        (replace(ADA, website=PAGE), person(url=PAGE)),
        (ACME, person('Acme', 'acme@social.example', [Link('https://acme.example', True)])),
    ],
)
def test_proof_and_name_link(contact, profile):
    result = score(contact, profile)
    assert result.links, result


@pytest.mark.parametrize(
    ('contact', 'profile', 'crowd'),
    [
        # the proof without the name
        (ADA, person('A. Byron', bio='ada.byron@engines.example'), Crowd()),
        (ADA, person('Ada Lovelace', bio='ada.byron@engines.example'), Crowd()),
        (ADA, person('Brass Wheel 🌻', bio='ada.byron@engines.example'), Crowd()),
        # the name without a proof
        (ADA, person(links=[Link('https://byron.example')]), Crowd()),
        (ADA, person(bio='Analyst at Engines, Graz'), Crowd()),
        (ADA, person(handle='a.b@social.engines.example'), Crowd()),
        (GMAIL, person(handle='brasswheel'), Crowd()),
        (OFFICE, person(links=[Link('https://engines.example/team', True)]), Crowd()),
        (GMAIL, person('🌻', 'x', bio='+43 316 123456'), Crowd()),
        (ADA, person(bio='Call me: +43 316 123456'), Crowd()),
        # the proof is not one person's
        (ACME, person('Acme', 'acme', bio='info@acme.example'), Crowd()),
        (OFFICE, person(bio=OFFICE.email), Crowd()),
        (ADA, person(bio=ADA.email), Crowd(shared_emails=frozenset({ADA.email}))),
        (ADA, person(links=[Link('byron.example', True)]), Crowd(homonyms=True)),
    ],
)
def test_somebody_is_asked(contact, profile, crowd):
    result = score(contact, profile, crowd)
    assert SUGGEST <= result.value < LINK, result


@pytest.mark.parametrize(
    ('contact', 'profile', 'crowd'),
    [
        (ADA, person(), Crowd()),  # a name alone
        (ADA, person(location='Graz'), Crowd(homonyms=True)),
        (ADA, person('George Byron', bio=ADA.email), Crowd()),  # a relative
        (ADA, person('Max Agent', bio=f'Fan page of Ada, {ADA.email}'), Crowd()),
        (ADA, person('Engines', links=[Link('https://byron.example', True)]), Crowd()),
        (ADA, person(bio=f'{ADA.email} - parody account'), Crowd()),
        (ADA, person('Engines GmbH', bio=ADA.email), Crowd()),  # the employer's page
        (ADA, person('Max Muster', handle='max@engines.example'), Crowd()),  # a colleague
        (ACME, person('Max Muster', bio='Works at https://acme.example'), Crowd()),
        (OFFICE, person('Max Muster', handle=OFFICE.email), Crowd()),
        (replace(GMAIL, email='ada@gmail.com'), person('Ada', handle='ada'), Crowd()),
    ],
)
def test_nobody_is_asked(contact, profile, crowd):
    assert score(contact, profile, crowd).value < SUGGEST


def test_an_own_address_tells_people_of_one_name_apart():
    assert score(ADA, person(bio=ADA.email), Crowd(homonyms=True)).links


def test_a_doubt_asks_somebody():
    result = score(ADA, person(bio=ADA.email)).doubted('rival')
    assert result.suggests
    assert result.reasons[-1].code == 'rival'


def test_words_are_less_than_what_is_vouched_for():
    assert not score(ADA, person(bio=ADA.email)).proven
    assert score(ADA, person(links=[Link('byron.example', True)])).proven


def test_namesakes():
    assert namesakes(ADA, replace(ADA, name='Byron, A.'))
    assert not namesakes(ADA, replace(ADA, name='George Byron'))
    assert not namesakes(ACME, replace(ADA, name='Acme'))
    assert namesakes(ACME, replace(ACME, name='ACME'))


def test_the_reasons_add_up_and_hold_their_evidence():
    result = score(ADA, person(location='Graz', handle='a.b@engines.example'))
    assert round(sum(reason.points for reason in result.reasons), 2) == result.value
    assert codes(result) == {'handle_domain', 'city', 'name_equal'}
    assert {reason.detail for reason in result.reasons} >= {'Graz', 'engines.example'}


@pytest.mark.parametrize(
    ('contact', 'profile'),
    [
        (ADA, person(bio='ada.byron@engines.example')),
        (ADA, person('x', handle='ada.byron@engines.example')),
        (ADA, person('x', links=[Link('http://byron.example/x')])),
        (ADA, person('x', handle='byron.example', domain_handle=True)),
        (replace(ADA, name='Robert Byron'), person('Bob Byron')),
        (replace(ADA, name='Bob Byron'), person('Robert Byron')),
        (ADA, person('byron_ada')),
        (ADA, person('🌻', handle='AdaByron')),
        (ACME, person('ACME (official)')),
        (GMAIL, person('x', handle='BrassWheel')),
        (ADA, person('x', bio='+43 316 123456')),
        (replace(ADA, website=PAGE), person('x', url=PAGE)),
    ],
)
def test_keys_bring_them_together(contact, profile):
    """From the side of the profile, and from that of the contact."""
    assert person_keys(profile, forms=True) & contact_keys(contact)
    assert contact_keys(contact, forms=True) & person_keys(profile)


def test_addresses_in_one_form():
    assert parse_email('A.da+x@GoogleMail.com').key == 'ada@gmail.com'
    assert parse_email('info.team@acme.example').role
    assert not parse_email('inform@acme.example').role
    assert parse_email('x@gmx.at').freemail
    assert parse_email('no address') is None
    assert parse_site('shop.Acme.co.uk/x/').domain == 'acme.co.uk'
    assert parse_site('https://linktr.ee/ada').domain == ''
    assert parse_site('https://ada.github.io').domain == 'ada.github.io'
    assert parse_site('https://social.example/@Ada').page == 'social.example/@ada'
    assert parse_site('javascript:alert(1)') is None
    assert parse_site('ada@acme.example') is None
    assert parse_site('https://[bad') is None


def test_hostile_profiles_are_quick():
    begin = time.perf_counter()
    for text in ('a@' * 10_000, 'x at ' * 4_000, 'a[at]b.' * 3_000, 'www.' * 5_000, 'é' * 20_000):
        hostile = person(text, text, [Link(text)] * 20, bio=text, headline=text, messages=text)
        assert len(person_keys(hostile, forms=True)) <= 100
        score(ADA, hostile)
    assert time.perf_counter() - begin < 3
