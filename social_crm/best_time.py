"""At which hours of the week posts were received better than usual, and how sure that is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp, log1p, sqrt
from statistics import median

MIN_POSTS = 20  # of an account, before anything is said about it
MIN_AT_HOUR = 3
SIGMA = 1.4826  # standard deviation of normal data, by its median absolute deviation
DOUBT = 2  # an hour is weighed as if it had had this many ordinary posts besides


@dataclass(frozen=True)
class Hour:
    """An hour that stands out.

    :param number: hour of the week, 0 is Monday from 00:00
    :param posts: how many posts that rests on
    :param factor: engagement of these posts in relation to the usual
    """

    number: int
    posts: int
    factor: float

    @property
    def weekday(self) -> int:
        return self.number // 24

    @property
    def hour(self) -> int:
        return self.number % 24


def thin(figures: Mapping[int, Iterable[tuple[int, int]]]) -> dict[int, int]:
    """Return the accounts of which too little is known, with the number of their posts."""
    counts = {account: len(list(posts)) for account, posts in figures.items()}
    return {account: count for account, count in counts.items() if count < MIN_POSTS}


def rank(figures: Mapping[int, Iterable[tuple[int, int]]]) -> list[Hour]:
    """Return the hours that stand out, the best first.

    Each post is compared with its own account's median, on a logarithmic scale: a large account
    does not outvote a small one. Of an hour the median counts, so that one post that went viral
    makes no best time; it counts from three posts, and only when it is above the usual by more than
    one standard error, which is what chance explains.

    :param figures: account -> (hour of the week, engagement) of each of its posts
    """
    few, above = thin(figures), defaultdict(list)
    for account, posts in figures.items():
        known = [] if account in few else list(posts)
        usual = median(log1p(engagement) for _hour, engagement in known) if known else 0.0
        for hour, engagement in known:
            above[hour].append(log1p(engagement) - usual)
    spread = SIGMA * median([abs(one) for some in above.values() for one in some] or [0.0])
    found = []
    for number, some in above.items():
        middle, posts = median(some), len(some)
        if posts >= MIN_AT_HOUR and middle > spread / sqrt(posts):
            found.append((middle * posts / (posts + DOUBT), Hour(number, posts, exp(middle))))
    return [hour for _weight, hour in sorted(found, key=lambda one: one[0], reverse=True)]
