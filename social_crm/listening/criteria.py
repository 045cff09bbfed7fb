"""What a rule asks for besides the words: who wrote it, where, in what language and mood."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, NamedTuple


class Facts(NamedTuple):
    """What is known of one mention and its author when the rules are evaluated.

    ``sentiment`` is the label; ``location`` is what the author says, casefolded; ``country`` the
    ISO code of the linked contact, empty when unknown.
    """

    account: int
    kind: str
    language: str
    sentiment: str
    author: int
    followers: int = 0
    verified: bool = False
    customer: bool = False
    blocked: bool = False
    location: str = ''
    country: str = ''


@dataclass(frozen=True)
class Criteria:
    """The filters of one rule; an empty one lets everything through.

    ``areas`` are casefolded names; an author is inside when the contact's country code is among
    ``countries`` or the location names one of ``areas``.
    """

    accounts: frozenset[int] = field(default_factory=frozenset)
    kinds: frozenset[str] = field(default_factory=frozenset)
    languages: frozenset[str] = field(default_factory=frozenset)
    sentiments: frozenset[str] = field(default_factory=frozenset)
    countries: frozenset[str] = field(default_factory=frozenset)
    areas: tuple[str, ...] = ()
    min_followers: int = 0
    verified_only: bool = False
    customer: Literal['', 'only', 'except'] = ''
    blocked: bool = False
    excluded_authors: frozenset[int] = field(default_factory=frozenset)

    def accept(self, facts: Facts) -> bool:
        """Return whether all filters let the mention through."""
        return (
            (not self.accounts or facts.account in self.accounts)
            and (not self.kinds or facts.kind in self.kinds)
            and (not self.languages or facts.language in self.languages)
            and (not self.sentiments or facts.sentiment in self.sentiments)
            and self._accept_author(facts)
        )

    def _accept_author(self, facts: Facts) -> bool:
        return (
            facts.followers >= self.min_followers
            and (facts.verified or not self.verified_only)
            and (not self.customer or facts.customer == (self.customer == 'only'))
            and (self.blocked or not facts.blocked)
            and facts.author not in self.excluded_authors
            and self._inside(facts)
        )

    def _inside(self, facts: Facts) -> bool:
        if not self.countries and not self.areas:
            return True
        return facts.country in self.countries or any(area in facts.location for area in self.areas)
