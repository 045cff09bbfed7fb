"""The interface of an adapter, and the register of adapters.

An adapter is plain Python: it gets an :class:`~.http.Http` to talk through, and gives values of
:mod:`.types` or raises errors of :mod:`.errors`. It keeps no state between calls, opens no database
and may be used from a thread.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar

from .errors import NotSupported
from .types import (
    App,
    Authorization,
    BrandAccount,
    Item,
    LeadForm,
    Limits,
    Metrics,
    Outgoing,
    Page,
    Profile,
    Push,
    Sent,
    Token,
)

if TYPE_CHECKING:
    from .http import Http


class Provider:
    """Base of all adapters.

    ``capabilities`` maps what the network can do to the OAuth scopes it wants for that:

    - ``mentions`` mentions, replies and comments that name the account
    - ``messages`` direct messages, read and sent
    - ``hashtags``, ``search`` listen to a hashtag or a search
    - ``reply`` answer an item; ``publish`` new posts; ``metrics`` counters of own posts
    - ``profile`` look a profile up by handle; ``lead_forms`` native lead forms

    ``features`` are flags without scopes: ``servers`` (the person types a server or handle),
    ``register`` (the client registers itself there), ``pkce``, ``revoke``, ``refresh``,
    ``idempotency_key``, ``find_sent``, ``thread``, ``delete``, ``webhook``, ``webhook_secret``
    (pushes are signed with a key of their own), ``brands`` (one login may act for several pages or
    organisations, see :meth:`brand_accounts`), ``own_account`` (of a network with ``brands``: the
    login is an account itself too), ``public_client`` (the client needs no secret), ``check_app``
    (see :meth:`check_app`), ``app_password`` (people may sign in by a password made for the
    purpose, see :meth:`sign_in`), ``own_scopes`` (which scopes may be asked for depends on the app:
    ``app.scopes`` names them), ``fetches_media`` (the network fetches the files of a post itself:
    the public has to be able to read their :attr:`.Media.url`).
    """

    code: ClassVar[str]
    label: ClassVar[str]
    capabilities: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    identity_scopes: ClassVar[tuple[str, ...]] = ()
    features: ClassVar[frozenset[str]] = frozenset()
    #: The version of the network's API that the adapter speaks, and the last day it is served.
    api_version: ClassVar[str] = ''
    api_ends: ClassVar[date | None] = None
    #: What a person may type to say where they are, for networks with ``servers``.
    server_example: ClassVar[str] = ''
    #: Characters of an expression (terms in quotes, side by side or with OR between, parentheses)
    #: that a search of the network takes; 0 where it takes a word or a phrase alone.
    longest_search: ClassVar[int] = 0
    #: Default streams that are read only with a capability: kind of stream -> capability.
    stream_capabilities: ClassVar[Mapping[str, str]] = {}
    #: What the network takes where no server says otherwise; see :meth:`limits`.
    default_limits: ClassVar[Limits]
    #: How long before its end a login is renewed; long for those that live for weeks, so that a
    #: server that stood still for some days loses none.
    refresh_ahead: ClassVar[timedelta] = timedelta(minutes=30)
    #: Seconds between two looks at a new account's streams; longer where a day's calls are few.
    poll_interval: ClassVar[int] = 60
    #: What the network charges for, or counts against a quota: kind of use -> :attr:`cost_unit`.
    costs: ClassVar[Mapping[str, Decimal]] = {}
    cost_unit: ClassVar[str] = ''

    def __init__(
        self,
        http: Http,
        app: App | None = None,
        token: Token | None = None,
        me: Profile | None = None,
    ):
        self.http = http
        self.app = app or App()
        self.token = token
        #: The connected account, to tell own items and answers to them; known once connected.
        self.me = me
        #: How much was used through this adapter, by the kinds of :attr:`costs`.
        self.usage: Counter[str] = Counter()

    @property
    def spent(self) -> Decimal:
        """What :attr:`usage` costs, in :attr:`cost_unit`; an estimate."""
        return sum((self.costs[kind] * n for kind, n in self.usage.items()), Decimal())

    # --- connect ---------------------------------------------------------------------------------

    @classmethod
    def scopes_for(cls, capabilities: Iterable[str]) -> tuple[str, ...]:
        """Return the scopes to ask for, without repeats, in a stable order."""
        wanted = list(cls.identity_scopes)
        for capability in capabilities:
            wanted += cls.capabilities.get(capability, ())
        return tuple(dict.fromkeys(wanted))

    @classmethod
    def covers(cls, granted: Iterable[str], scopes: Iterable[str]) -> bool:
        """Return whether the granted scopes include all of ``scopes``."""
        return set(scopes) <= set(granted)

    @classmethod
    def normalise_server(cls, text: str) -> str:
        """Return the server's address for what a person typed (a host, a URL, a handle).

        :raise Rejected: when it is none; ``code`` says why.
        """
        raise NotSupported()

    def discover(self, server: str) -> App:
        """Return an app without client id, with what the server says about itself."""
        raise NotSupported()

    def register(self, app: App, *, name: str, website: str) -> App:
        """Register a client for ``app`` (server, redirect_uri, scopes) and return it complete."""
        raise NotSupported()

    def check_app(self) -> None:
        """Ask the network whether it knows :attr:`app` and its secret; no login is needed.

        :raise Rejected: when it does not
        """
        raise NotSupported()

    def authorize_url(
        self, *, state: str, challenge: str, scopes: Sequence[str], hint: str = ''
    ) -> Authorization:
        """Return where to send the browser. ``challenge`` is the S256 one (RFC 7636).

        ``hint`` is the handle that the person typed, for networks that want it.
        """
        raise NotSupported()

    def exchange_code(
        self, *, code: str, verifier: str, private: Mapping[str, object], params: Mapping[str, str]
    ) -> Token:
        """Trade the code for a token. ``params`` are all parameters of the callback."""
        raise NotSupported()

    def sign_in(self, typed: str, password: str) -> tuple[Token, Profile]:
        """Sign in without a browser, with a password that the network makes for applications.

        :param typed: what the person typed for themselves, such as a handle
        :raise Rejected: when it is refused, or is no such password (code ``no_app_password``)
        """
        raise NotSupported()

    def refresh(self) -> Token:
        """Return a new token for :attr:`token`; raise AuthorizationLost when the grant is dead."""
        raise NotSupported()

    def revoke(self) -> None:
        """Take the grant back at the network; quiet when it is gone already."""
        raise NotSupported()

    def whoami(self) -> Profile:
        """Return the profile that the token acts for."""
        raise NotSupported()

    def brand_accounts(self) -> tuple[BrandAccount, ...]:
        """Return the pages or organisations that this login may act for; often none."""
        return ()

    # --- listen ----------------------------------------------------------------------------------

    @classmethod
    def default_streams(cls) -> tuple[str, ...]:
        """Return the kinds of the streams that each account has, whatever its rules."""
        return ()

    def fetch(
        self, stream: str, cursor: str, *, query: str = '', since: datetime | None = None
    ) -> Page:
        """Return the next page after ``cursor``, oldest item first.

        Without a cursor it starts at ``since`` (backfill), or now where that is ``None``. Storing
        the page's items and its ``next_cursor`` together loses nothing and repeats little.
        """
        raise NotSupported()

    def read(self, stream: str, payload: object) -> Page:
        """Return a page of the one item in ``payload`` (as kept in Item.raw or Unreadable.payload).

        Opens no connection; used to replay a parked item.
        """
        raise NotSupported()

    def complete(self, stream: str, payload: object) -> Page:
        """Fetch what a push only named (the payload of an ``incomplete`` Unreadable).

        :raise NotFound: when the network does not show it, or not any more
        """
        raise NotSupported()

    def lead_forms(self) -> tuple[LeadForm, ...]:
        """Return the lead forms of the account; what people fill in comes by the stream
        ``lead_forms``."""
        raise NotSupported()

    def thread(self, external_id: str, local_id: str = '') -> tuple[Item, ...]:
        """Return the items above and below an item, oldest first."""
        raise NotSupported()

    # --- pushed by the network: but for `subscribe` the app alone is known, no account ------------
    # A form that is pushed (`signed_request`) arrives as its URL-encoded text. Whether it is about
    # the end of a grant or the deletion of data is told by the address it was sent to.

    def subscribe(self) -> None:
        """Have what happens on the account pushed to ``app.webhook_url``; called with its login.

        Called after connecting and daily, so it may find that it was done before.
        """
        raise NotSupported()

    def answer_handshake(self, params: Mapping[str, str]) -> str:
        """Return the body that proves to the network that its webhook address is ours.

        A word that was agreed on with the network is compared with ``app.verify_token``.

        :raise Rejected: when the request does not prove to come from the network
        """
        raise NotSupported()

    def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> None:
        """Check a push by its signature, over the raw bytes and in constant time.

        :param headers: names in lower case
        :raise Rejected: when it was not signed with the app's secret
        """
        raise NotSupported()

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> tuple[Push, ...]:
        """Return what a verified push tells; things of no interest are left out.

        :raise Rejected: when it is no readable push
        """
        raise NotSupported()

    # --- send ------------------------------------------------------------------------------------

    def compose(self, outgoing: Outgoing) -> str:
        """Return the text as :meth:`send` will send it (with a mention, a link), to be counted."""
        return outgoing.text

    def limits(self) -> Limits:
        """Return what this server takes."""
        return self.default_limits

    def count(self, text: str) -> int:
        """Return the length of a text as the network counts it."""
        return len(text)

    def send(self, outgoing: Outgoing, key: str) -> Sent:
        """Send, with ``key`` as idempotency key where the network takes one.

        :raise OutcomeUnknown: when it may or may not have happened.
        """
        raise NotSupported()

    def find_sent(self, outgoing: Outgoing, key: str, since: datetime) -> Sent | None:
        """Return what an earlier :meth:`send` of the same made, looked up on the network."""
        raise NotSupported()

    def delete(self, external_id: str, local_id: str = '') -> None:
        """Take an own post back; quiet when it is gone already."""
        raise NotSupported()

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """Return the counters of own posts by local id; missing ones are gone or hidden."""
        raise NotSupported()

    def profile(self, handle: str) -> Profile:
        """Look a public profile up; raise NotFound when there is none."""
        raise NotSupported()


_ADAPTERS: dict[str, str] = {}


def register_adapter(code: str, target: str) -> None:
    """Register an adapter as ``'package.module:Class'``; other addons add networks with this."""
    _ADAPTERS[code] = target


def adapter_class(code: str) -> type[Provider]:
    """Return the adapter of a network; raise NotSupported when none is registered."""
    try:
        module, _, name = _ADAPTERS[code].partition(':')
    except KeyError:
        raise NotSupported(code=code) from None
    found: type[Provider] = getattr(import_module(module), name)
    return found


def adapter_codes() -> tuple[str, ...]:
    """Return the codes of all registered networks."""
    return tuple(_ADAPTERS)
