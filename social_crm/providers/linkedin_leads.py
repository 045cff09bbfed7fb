"""Lead Gen Forms: the forms, and what people filled in, to values of :mod:`.types`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .linkedin_items import BAD, ORGANIZATION, PERSON, author_of, moment
from .types import Item, LeadForm, Profile, Question, Unreadable

RESPONSE = 'urn:li:leadGenFormResponse:'
ACCOUNT = 'urn:li:sponsoredAccount:'
#: What the forms of an organisation itself are shown with; those of its ads are SPONSORED.
ORGANIC_TYPES = ('COMPANY', 'EVENT', 'ORGANIZATION_PRODUCT')
#: All that is told about a submission, with its form: questions are named by number only.
FIELDS = (
    'id,owner,leadType,versionedLeadGenFormUrn,submittedAt,testLead,formResponse,submitter,'
    'ownerInfo,associatedEntity,associatedEntityInfo,leadMetadata,leadMetadataInfo,'
    'form:(id,name,content,hiddenFields,creationLocale)'
)
_FORM = re.compile(r'leadGenForm:(\d+)')
_CONSENT = 'consent_'


def read_page(entries: Iterable[Any]) -> tuple[tuple[Item, ...], tuple[Unreadable, ...]]:
    """Return submissions as items, oldest first."""
    items: list[Item] = []
    bad: list[Unreadable] = []
    for entry in entries:
        try:
            items.append(lead(entry))
        except BAD as error:
            name = entry.get('id') if isinstance(entry, dict) else ''
            reason = f'{type(error).__name__}: {error}'[:200]
            bad.append(Unreadable(entry, reason, f'{RESPONSE}{name}' if name else ''))
    return tuple(sorted(items, key=lambda item: item.posted_at)), tuple(bad)


def lead(entry: Mapping[str, Any]) -> Item:
    """Return a submission; ``entry['form']`` holds the form that it answers.

    ``fields`` are keyed as :func:`form` keys its questions: by the predefined field, else by the
    question's name. Hidden fields come under their names, consents as ``true`` or ``false``.
    """
    number = entry['id']
    if not isinstance(number, str) or not number:
        raise ValueError('an id is missing')
    number = number.rpartition(':')[2]
    response, wanted = entry['formResponse'], entry.get('form') or {}
    keys = _keys(wanted)
    questions = {q.get('questionId'): q for q in _questions(wanted)}
    fields: dict[str, str] = {}
    lines = []
    for answer in response.get('answers') or ():
        asked = answer.get('questionId')
        question = questions.get(asked) or _by_name(wanted, answer.get('name'))
        text = _answer(answer.get('answerDetails') or {}, question)
        key = keys.get(question.get('questionId'), str(answer.get('name') or f'question_{asked}'))
        if text:
            fields[key] = text
            lines.append(f'{_local(question.get("question")) or key}: {text}')
    for hidden in wanted.get('hiddenFields') or ():
        fields.setdefault(str(hidden['name']), str(hidden.get('value') or ''))
    for consent in response.get('consentResponses') or ():
        given = 'true' if consent.get('accepted') is True else 'false'
        fields[f'{_CONSENT}{consent.get("consentId")}'] = given
    submitter = entry.get('submitter')
    return Item(
        kind='lead_form',
        external_id=f'{RESPONSE}{number}',
        author=_author(str(submitter or ''), number, fields),
        text='\n'.join(lines),
        posted_at=moment(entry['submittedAt']),
        visibility='direct',
        fields=fields,
        form_id=form_id(entry),
        attribution=_attribution(entry),
        test=entry.get('testLead') is True,
        raw=entry,
    )


def withdrawn(notification: Mapping[str, Any]) -> Item:
    """Return the deletion of a submission that the person took back."""
    urn = str(notification['leadGenFormResponse'])
    return Item(
        kind='lead_form',
        external_id=urn,
        author=Profile(urn, urn.rpartition(':')[2]),
        text='',
        posted_at=moment(notification['occurredAt']),
        visibility='direct',
        deleted=True,
        raw=notification,
    )


def form(entry: Mapping[str, Any]) -> LeadForm:
    """Return a form with its questions and consents; raise one of ``BAD`` when it is none."""
    locale = entry.get('creationLocale') or {}
    keys = _keys(entry)
    asked = [
        Question(
            keys[question.get('questionId')],
            _local(question.get('question')) or str(question.get('name') or ''),
            str(question.get('predefinedField') or 'CUSTOM'),
        )
        for question in _questions(entry)
    ]
    legal = (entry.get('content') or {}).get('legalInfo') or {}
    asked += [
        Question(f'{_CONSENT}{consent.get("id")}', _local(consent.get('consent')), 'CONSENT', True)
        for consent in legal.get('consents') or ()
    ]
    asked += [
        Question(str(hidden['name']), str(hidden['name']), 'HIDDEN')
        for hidden in entry.get('hiddenFields') or ()
    ]
    return LeadForm(
        external_id=str(entry['id']),
        name=str(entry.get('name') or entry['id']),
        questions=tuple(asked),
        language=str(locale.get('language') or '').lower(),
        active=entry.get('state') in {None, 'PUBLISHED'},
    )


def form_id(entry: Mapping[str, Any]) -> str:
    """Return the form's id of a submission, empty when it is not told."""
    found = _FORM.search(str(entry.get('versionedLeadGenFormUrn') or ''))
    if found:
        return found[1]
    known = entry.get('form')
    return str(known.get('id') or '') if isinstance(known, dict) else ''


def is_of(account: Mapping[str, Any], organization: str) -> bool:
    """Return whether an ad account advertises for an organisation (a URN)."""
    info = account.get('referenceInfo')
    about = info.get('organization') if isinstance(info, dict) else None
    known = about.get('id') if isinstance(about, dict) else about
    named = account.get('reference') or (f'{ORGANIZATION}{known}' if known else '')
    return str(named).rpartition(':')[2] == organization.rpartition(':')[2]


# --- pieces --------------------------------------------------------------------------------------


def _questions(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    return list((entry.get('content') or {}).get('questions') or ())


def _keys(entry: Mapping[str, Any]) -> dict[Any, str]:
    """Return the key of each question by its number: the same for a form and its submissions."""
    keys: dict[Any, str] = {}
    for question in _questions(entry):
        number = question.get('questionId')
        key = str(question.get('predefinedField') or question.get('name') or f'question_{number}')
        keys[number] = f'{key}_{number}' if key in keys.values() else key
    return keys


def _by_name(entry: Mapping[str, Any], name: Any) -> dict[str, Any]:
    return next((q for q in _questions(entry) if name and q.get('name') == name), {})


def _answer(details: Mapping[str, Any], question: Mapping[str, Any]) -> str:
    text = details.get('textQuestionAnswer')
    if text is not None:
        return str(text.get('answer') or '').strip()
    choice = details.get('multipleChoiceAnswer')
    if choice is None:
        return ''
    known = (question.get('questionDetails') or {}).get('multipleChoiceQuestionDetails') or {}
    labels = {option.get('id'): _local(option.get('text')) for option in known.get('options') or ()}
    return ', '.join(labels.get(number) or str(number) for number in choice.get('options') or ())


def _local(texts: Any) -> str:
    """Return a text in the one language of its form."""
    if isinstance(texts, str):
        return texts
    localized = texts.get('localized') if isinstance(texts, dict) else None
    return str(next(iter(localized.values()), '')) if localized else ''


def _author(urn: str, number: str, fields: Mapping[str, str]) -> Profile:
    """Return who submitted; one nobody names is somebody else each time."""
    name = f'{fields.get("FIRST_NAME", "")} {fields.get("LAST_NAME", "")}'.strip()
    if not urn.startswith(PERSON):
        return Profile(f'{RESPONSE}{number}', number, name=name)
    known = author_of(urn)
    return Profile(known.external_id, known.handle, name=name, url=_page(fields))


def _page(fields: Mapping[str, str]) -> str:
    page = fields.get('LINKEDIN_PROFILE_LINK', '')
    return page if page.startswith('https://www.linkedin.com/in/') else ''


def _attribution(entry: Mapping[str, Any]) -> dict[str, str]:
    """Return what brought the person; names where LinkedIn tells them."""
    owner, about = entry.get('owner') or {}, entry.get('associatedEntity') or {}
    meta = (entry.get('leadMetadata') or {}).get('sponsoredLeadMetadata') or {}
    told = {
        'account_id': owner.get('sponsoredAccount'),
        'organization_id': owner.get('organization'),
        'ad_id': about.get('associatedCreative'),
        'event_id': about.get('event'),
        'product_id': about.get('organizationProduct'),
        'campaign_id': meta.get('campaign'),
    }
    found = {name: str(urn).rpartition(':')[2] for name, urn in told.items() if urn}
    found |= {'lead_type': str(entry['leadType'])} if entry.get('leadType') else {}
    meta_info = (entry.get('leadMetadataInfo') or {}).get('sponsoredLeadMetadataInfo') or {}
    for name, part in (
        ('account_name', (entry.get('ownerInfo') or {}).get('sponsoredAccountInfo')),
        ('campaign_name', meta_info.get('campaignInfo') or meta_info.get('campaign')),
    ):
        if isinstance(part, dict) and isinstance(part.get('name'), str):
            found[name] = part['name']
    return found


def sources(organization: str, accounts: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield owner and kind of all submissions to an organisation: its own and its ads'."""
    for kind in ORGANIC_TYPES:
        yield organization, kind
    for account in accounts:
        if is_of(account, organization) and account.get('id'):
            yield f'{ACCOUNT}{str(account["id"]).rpartition(":")[2]}', 'SPONSORED'
