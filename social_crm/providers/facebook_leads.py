"""Lead Ads: forms, and what people filled in, also below ads on Instagram."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from .meta import parse_time
from .types import Item, LeadForm, Profile, Question

FORM_FIELDS = (
    'id,name,status,locale,questions{key,label,type},legal_content{custom_disclaimer{checkboxes}}'
)
LEAD_FIELDS = (
    'id,created_time,form_id,field_data,custom_disclaimer_responses,ad_id,ad_name,adset_id,'
    'adset_name,campaign_id,campaign_name,platform,is_organic,partner_name'
)
_ATTRIBUTION = (
    'ad_id',
    'ad_name',
    'adset_id',
    'adset_name',
    'campaign_id',
    'campaign_name',
    'platform',
    'partner_name',
)
_TEST = re.compile(r'<test lead: dummy data', re.I)
_TEST_MAILS = {'test@fb.com', 'test@meta.com'}
_MAILS = ('email', 'work_email')
_PHONES = ('phone_number', 'work_phone_number')
_TRUE = {True, '1', 'true', 'True'}


def read_form(form: Mapping[str, Any]) -> LeadForm:
    """Return a form with its questions and boxes to tick."""
    questions = [
        Question(str(row['key']), str(row.get('label') or row['key']), str(row.get('type') or ''))
        for row in _dicts(form.get('questions'))
        if row.get('key')
    ]
    legal = form.get('legal_content')
    disclaimer = legal.get('custom_disclaimer') if isinstance(legal, dict) else None
    boxes = disclaimer.get('checkboxes') if isinstance(disclaimer, dict) else None
    questions += [
        Question(str(row['key']), str(row.get('text') or row['key']), 'CHECKBOX', consent=True)
        for row in _dicts(boxes)
        if row.get('key')
    ]
    return LeadForm(
        external_id=str(form['id']),
        name=str(form.get('name') or form['id']),
        questions=tuple(questions),
        language=str(form.get('locale') or '').replace('-', '_').partition('_')[0].lower(),
        active=str(form.get('status') or 'ACTIVE').upper() == 'ACTIVE',
    )


def read_lead(lead: dict[str, Any]) -> Item:
    """Return a filled-in form.

    ``fields`` holds the answers by the question's key, several ones with a comma between, no blank
    ones; and each consent by its key, as ``true`` or ``false``. Nobody is named as on a network:
    the author is who has that e-mail address or number.
    """
    number = str(lead['id'])
    if not number or isinstance(lead['id'], bool) or lead['id'] is None:
        raise ValueError('an id is missing')
    answers = _answers(lead.get('field_data'))
    consents = _consents(lead.get('custom_disclaimer_responses'))
    attribution = {name: str(lead[name]) for name in _ATTRIBUTION if lead.get(name)}
    if isinstance(lead.get('is_organic'), bool):
        attribution['is_organic'] = str(lead['is_organic']).lower()
    mails = {answers.get(name, '').lower() for name in _MAILS}
    return Item(
        kind='lead_form',
        external_id=number,
        author=_author(answers, number),
        text='\n'.join(f'{name}: {value}' for name, value in answers.items()),
        posted_at=parse_time(lead['created_time']),
        visibility='direct',
        fields={**consents, **answers},
        form_id=str(lead.get('form_id') or ''),
        attribution=attribution,
        test=any(_TEST.search(value) for value in answers.values()) or bool(mails & _TEST_MAILS),
        raw=lead,
    )


def _author(answers: Mapping[str, str], number: str) -> Profile:
    contact = next((answers[name] for name in (*_MAILS, *_PHONES) if answers.get(name)), '')
    known = contact.casefold() if '@' in contact else re.sub(r'[^\d+]', '', contact)
    name = ' '.join(answers.get(part, '') for part in ('first_name', 'last_name')).strip()
    key = hashlib.sha256(known.encode()).hexdigest()[:24] if known else number
    return Profile(
        external_id=f'lead:{key}',
        handle=contact or f'lead:{number}',
        name=answers.get('full_name') or name,
    )


def _answers(rows: Any) -> dict[str, str]:
    """Return the answers by name; a name that comes twice keeps both answers."""
    found: dict[str, list[str]] = {}
    for row in _dicts(rows):
        name, values = row.get('name'), row.get('values')
        if not isinstance(name, str) or not name.strip():
            continue
        texts = found.setdefault(name.strip()[:200], [])
        for value in values if isinstance(values, list) else [values]:
            text = str(value).strip() if isinstance(value, (str, int, float)) else ''
            if text and text not in texts:
                texts.append(text)
    return {name: ', '.join(texts) for name, texts in found.items() if texts}


def _consents(rows: Any) -> dict[str, str]:
    return {
        str(row['checkbox_key']): str(_is_true(row.get('is_checked'))).lower()
        for row in _dicts(rows)
        if row.get('checkbox_key')
    }


def _is_true(value: Any) -> bool:
    return isinstance(value, (str, int)) and value in _TRUE


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
