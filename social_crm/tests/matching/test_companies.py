"""Companies among display names, and the parts of names."""

import pytest

from social_crm.matching import company_name, split_name


@pytest.mark.parametrize(
    ('display', 'company'),
    [
        ('Voltek GmbH', 'Voltek GmbH'),
        ('Voltek AG', 'Voltek AG'),
        ('Muebles Rioja S.L.', 'Muebles Rioja S.L.'),
        ('Rita Kohl | Voltek GmbH', 'Voltek GmbH'),
        ('Acme Official', 'Acme Official'),
        ('Brown & Sons Ltd.', 'Brown & Sons Ltd.'),
        ('Rita Kohl', ''),
        ('Maria de Sa', ''),
        ('ANNA AS', ''),
        ('GmbH', ''),
        ('', ''),
        ('x' * 100_000, ''),
    ],
)
def test_companies_are_told_from_people(display, company):
    assert company_name(display) == company


@pytest.mark.parametrize(
    ('display', 'parts'),
    [
        ('Rita Kohl', ('Rita', 'Kohl')),
        ('Dr. RITA KOHL 🌻 | Acme', ('Rita', 'Kohl')),
        ('Ludwig van der Berg', ('Ludwig', 'van der Berg')),
        ('María José García', ('María José', 'García')),
        ('Rita', ('Rita', '')),
        ('山田 太郎', ('太郎', '山田')),
        ('🌻', ('', '')),
        ('de Boer', ('de', 'Boer')),
    ],
)
def test_names_have_parts(display, parts):
    assert split_name(display) == parts
