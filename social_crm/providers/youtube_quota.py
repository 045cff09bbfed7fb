"""What calls of the YouTube Data API cost, and when the day of its quota ends.

Units are those of the project's daily quota (10,000 unless raised), shared by all accounts that are
connected with one client. Searches and uploads have buckets of their own, 100 calls a day each.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

UNITS: Mapping[str, Decimal] = {
    'read': Decimal(1),
    'write': Decimal(50),
    'search': Decimal(0),
    'upload': Decimal(0),
}


def next_day(now: datetime | None = None) -> datetime:
    """Return (in UTC) the next midnight in California, when the quota starts anew."""
    zone: tzinfo
    try:
        zone = ZoneInfo('America/Los_Angeles')
    except ZoneInfoNotFoundError:  # no table of zones on this machine: an hour late in summer
        zone = timezone(timedelta(hours=-8))
    local = (now or datetime.now(timezone.utc)).astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return (midnight + timedelta(days=1)).astimezone(timezone.utc)
