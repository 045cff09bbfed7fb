"""Values that travel between the adapters and Odoo. All times are aware UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

ItemKind = Literal['mention', 'search', 'comment', 'reply', 'message', 'lead_form']
OutgoingKind = Literal['post', 'reply', 'comment', 'message']


@dataclass(frozen=True)
class App:
    """An OAuth client of a network, on one server where the network has many.

    ``metadata`` holds what was discovered about the server (endpoints, software, limits); it is
    plain JSON and holds no secret. ``verify_token`` is the word that a network sends when it asks
    whether the webhook address is ours, entered there and kept here. ``webhook_secret`` is the key
    that pushes are signed with, where that is not the client secret.
    """

    client_id: str = ''
    client_secret: str = field(default='', repr=False)
    server: str = ''
    redirect_uri: str = ''
    scopes: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    verify_token: str = field(default='', repr=False)
    webhook_url: str = ''
    webhook_secret: str = field(default='', repr=False)


@dataclass(frozen=True)
class Authorization:
    """Where to send the person's browser, and what to keep with the state until they return."""

    url: str = field(repr=False)
    private: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Token:
    """A grant. ``scopes`` is what was granted, ``None`` where the network does not tell.

    ``extra`` is whatever else the network wants back with each call (plain JSON, secret).
    """

    access_token: str = field(repr=False)
    refresh_token: str = field(default='', repr=False)
    expires_at: datetime | None = None
    scopes: tuple[str, ...] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Link:
    """A public link of a profile; ``verified`` when the network checked that it points back."""

    name: str
    url: str
    verified: bool = False


@dataclass(frozen=True)
class Profile:
    """A person or page on a network, public fields only.

    ``external_id`` is unique on the whole network (an actor URI on the fediverse, a DID on
    Bluesky, a number elsewhere); ``local_id`` is the id that this server's own calls want where
    that differs. ``handle`` is written without a leading ``@``. Counts are ``None`` when unknown.
    """

    external_id: str
    handle: str
    name: str = ''
    url: str = ''
    local_id: str = ''
    avatar_url: str = ''
    headline: str = ''
    bio: str = ''
    location: str = ''
    followers: int | None = None
    following: int | None = None
    posts: int | None = None
    verified: bool = False
    bot: bool = False
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class BrandAccount:
    """A page or organisation that a login may act for, with the token to act with."""

    profile: Profile
    token: Token


@dataclass(frozen=True)
class Media:
    """A picture, video or file. Inbound ones have ``url``; outbound ones have ``content``, and a
    public ``url`` where the network fetches files itself (feature ``fetches_media``).

    ``preview`` is the address of a still picture of an inbound one: a smaller one of a picture, one
    scene of a video; empty where the network has none.
    """

    mimetype: str
    url: str = ''
    description: str = ''
    filename: str = ''
    content: bytes = field(default=b'', repr=False)
    preview: str = ''


@dataclass(frozen=True)
class Item:
    """One inbound item, normalised.

    ``external_id`` is unique on the whole network; ``local_id`` is the id that the account's own
    server wants in an answer, where that differs. ``text`` is plain text. ``language`` is an
    ISO 639-1 code as the network gave it, empty when it gave none. ``own`` marks what the
    connected account wrote itself. ``mentions`` are handles without ``@``, ``hashtags`` words
    without ``#``. ``fields`` holds the answers of a lead form (name -> text). ``raw`` is the
    network's own JSON of the item, for :meth:`~.base.Provider.read` to start from again.
    Of a lead form: ``form_id`` is the form's external id, ``fields`` holds the consents as well,
    ``attribution`` the network's ids of what brought the person (``ad_id``, ``campaign_id``, …;
    names where it tells them), and ``test`` marks a submission made to try the form out.
    ``parent_local_id`` is the parent's ``local_id``, where the network names the parent by that
    one only (Mastodon; ``parent_external_id`` is then set when the page tells it).
    """

    kind: ItemKind
    external_id: str
    author: Profile
    text: str
    posted_at: datetime
    url: str = ''
    local_id: str = ''
    language: str = ''
    parent_external_id: str = ''
    parent_local_id: str = ''
    conversation_id: str = ''
    visibility: Literal['public', 'unlisted', 'followers', 'direct'] = 'public'
    edited_at: datetime | None = None
    deleted: bool = False
    own: bool = False
    mentions: tuple[str, ...] = ()
    hashtags: tuple[str, ...] = ()
    media: tuple[Media, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    form_id: str = ''
    attribution: Mapping[str, str] = field(default_factory=dict)
    test: bool = False
    raw: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Unreadable:
    """An item that could not be normalised: kept with its payload, to be replayed later.

    An ``incomplete`` one was only named by the network: see :meth:`~.base.Provider.complete`.
    """

    payload: Any
    reason: str
    external_id: str = ''
    incomplete: bool = False


@dataclass(frozen=True)
class Page:
    """One page of a stream. ``next_cursor`` is opaque text; ``more`` says fetch again now."""

    items: tuple[Item, ...] = ()
    unreadable: tuple[Unreadable, ...] = ()
    next_cursor: str = ''
    more: bool = False


@dataclass(frozen=True)
class Push:
    """What a network pushed for one account, or for one person.

    ``account_id`` is the external id of the account (a page, a user); where a network names none,
    it is empty, and all accounts of the app are meant. Event ``items``: ``page``
    holds what is new in ``stream``. ``poll``: something is new there, and has to be fetched.
    ``deauthorized``: the grant of ``person_id`` is gone. ``erase``: ``person_id`` asks for the
    deletion of their data.
    """

    event: Literal['items', 'poll', 'deauthorized', 'erase']
    account_id: str = ''
    stream: str = ''
    page: Page = Page()
    person_id: str = ''


@dataclass(frozen=True)
class Question:
    """A question of a lead form. ``kind`` is the network's word for it (``EMAIL``, ``CUSTOM``);
    ``consent`` marks a box to tick."""

    key: str
    label: str
    kind: str = ''
    consent: bool = False


@dataclass(frozen=True)
class LeadForm:
    """A native lead form of the connected account."""

    external_id: str
    name: str
    questions: tuple[Question, ...] = ()
    language: str = ''
    active: bool = True


@dataclass(frozen=True)
class Outgoing:
    """Something to send: a post, or an answer to ``target`` (external id) of ``target_author``.

    ``target_local_id`` is the item's id on the account's own server where that differs.
    ``visibility`` follows :class:`Item`.
    """

    kind: OutgoingKind
    text: str
    target: str = ''
    target_local_id: str = ''
    target_author: Profile | None = None
    conversation_id: str = ''
    visibility: Literal['public', 'unlisted', 'followers', 'direct'] = 'public'
    language: str = ''
    link: str = ''
    media: tuple[Media, ...] = ()


@dataclass(frozen=True)
class Sent:
    """What the network made of an :class:`Outgoing`."""

    external_id: str
    url: str = ''
    local_id: str = ''
    sent_at: datetime | None = None


@dataclass(frozen=True)
class Metrics:
    """Counters of a publication; ``None`` where the network does not tell."""

    likes: int | None = None
    comments: int | None = None
    shares: int | None = None
    views: int | None = None
    clicks: int | None = None


@dataclass(frozen=True)
class Limits:
    """What a network takes. Sizes in bytes, durations in seconds.

    ``track_links`` is off where the network forbids or punishes short links to elsewhere.
    """

    text_length: int
    message_length: int | None = None
    media_count: int = 0
    image_types: tuple[str, ...] = ()
    image_size: int | None = None
    video_types: tuple[str, ...] = ()
    video_size: int | None = None
    video_duration: int | None = None
    image_pixels: int | None = None
    mix_media: bool = False
    media_required: bool = False
    reply_window: int | None = None
    message_window: int | None = None
    track_links: bool = True
