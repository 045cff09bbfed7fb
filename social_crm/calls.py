"""Calls of networks: made in a thread, and counted when they are back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .providers import Provider
from .providers.errors import RateLimited


@dataclass(frozen=True)
class Call:
    """A function that asks a network, and the adapter that knows afterwards what that took;
    ``None`` where it is asked for a public file."""

    provider: Provider | None
    function: Callable[[], Any]

    def __call__(self):
        return self.function()


class BudgetUsedUp(RateLimited):
    """The calls of an app have cost as much as they may in this month; nothing is read any more."""
