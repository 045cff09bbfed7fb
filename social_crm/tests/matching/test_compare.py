"""Whether two names can be those of one person, or of one company."""

import pytest

from social_crm.matching.compare import NameMatch, compare_companies, compare_people
from social_crm.matching.fold import fold

EQUAL, STRONG, INITIAL = NameMatch.EQUAL, NameMatch.STRONG, NameMatch.INITIAL
SINGLE, GIVEN, NONE = NameMatch.SINGLE, NameMatch.GIVEN, NameMatch.NONE
FAMILY, CONFLICT = NameMatch.FAMILY, NameMatch.CONFLICT


@pytest.mark.parametrize(
    ('contact', 'display', 'match'),
    [
        ('Anna Müller', 'Anna Mueller', EQUAL),
        ('Anna Müller', 'MÜLLER, Anna', EQUAL),
        ('Mag. Anna Müller', '🌻 Dr. Anna Müller 🌻 (she/her)', EQUAL),
        ('Anna Müller', 'anna.mueller', EQUAL),
        ('Anna Müller', 'AnnaMueller', EQUAL),
        ('Anna Müller', 'annamueller', EQUAL),
        ('Иван Петров', 'Ivan Petrov', EQUAL),
        ('山田太郎', '山田 太郎', EQUAL),
        ("Siobhán O'Neill", 'Siobhan ONeill', EQUAL),
        ('Ludwig van der Berg', 'Ludwig Berg', EQUAL),
        ('Jean-Luc Petit', 'Jean Luc Petit', EQUAL),
        ('Robert Smith', 'Bob Smith', STRONG),
        ('Johannes Huber', 'Hans Huber', STRONG),
        ('José García López', 'Pepe García', STRONG),
        ('Anna Maria Huber', 'Anna Huber', STRONG),
        ('Anna Huber', 'Anna Huber-Wagner', STRONG),
        ('Anna Huber', 'A. Huber', INITIAL),
        ('Anna Huber', 'Anna H.', INITIAL),
        ('Anna Huber', 'Anna', SINGLE),
        ('Anna Huber', 'Anna Wagner', GIVEN),
        ('Anna Huber', 'Thomas Huber', FAMILY),
        ('Anna Huber', 'T. Huber', FAMILY),
        ('Anna Huber', 'E. Huber', FAMILY),
        ('Eva Huber', 'E. Huber', INITIAL),
        ('Ben Gray', 'ben gray', EQUAL),
        ('Ana García y López', 'Ana García López', EQUAL),
        ('Anna Huber', 'Peter Novak', CONFLICT),
        ('Anna Huber', 'teapot', NONE),
        ('Anna Huber', '🔥🔥', NONE),
        ('', 'Anna Huber', NONE),
    ],
)
def test_people(contact, display, match):
    assert compare_people(contact, display) == match
    assert compare_people(display, contact) == match


@pytest.mark.parametrize(
    ('company', 'display', 'match'),
    [
        ('Acme GmbH', 'Acme', EQUAL),
        ('Acme GmbH & Co. KG', 'ACME (official)', EQUAL),
        ('Bäckerei Huber', 'Baeckerei Huber', EQUAL),
        ('Blue Fish Ltd', 'BlueFish', EQUAL),
        ('Acme Austria GmbH', 'Acme Germany', CONFLICT),
        ('Acme', 'Acme Austria', SINGLE),
        ('Acme GmbH', 'Anna Huber', CONFLICT),
        ('Acme', '🔥', NONE),
    ],
)
def test_companies(company, display, match):
    assert compare_companies(company, display) == match


def test_words_are_folded():
    assert fold('Straße in Ærø, O’Brien') == ('strasse', 'in', 'aro', 'obrien')
