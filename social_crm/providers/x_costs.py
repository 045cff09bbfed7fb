"""What X charges (pay-per-use, US dollars, August 2026), by kind of use.

An object that is read twice in one day (UTC) is charged once; what a page brings along (authors,
pictures) is not counted here. So a sum of these is an estimate, mostly too high.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

PRICES: Mapping[str, Decimal] = {
    'post_read': Decimal('0.005'),
    'owned_read': Decimal('0.001'),  # own posts and mentions
    'user_read': Decimal('0.010'),
    'message_read': Decimal('0.010'),
    'post_create': Decimal('0.015'),
    'post_create_with_url': Decimal('0.200'),
    'message_create': Decimal('0.015'),
    'delete': Decimal('0.010'),
    'media_metadata': Decimal('0.005'),
}
