"""Counters of own posts and comments on LinkedIn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .errors import PermissionMissing, Rejected
from .linkedin_client import BATCH, Client, elements
from .linkedin_items import COMMENT
from .types import Metrics

_UGC = 'urn:li:ugcPost:'


class Counters(Client):
    """Counters; what is told depends on who asks."""

    def metrics(self, ids: Sequence[str]) -> dict[str, Metrics]:
        """Return the counters of own posts and comments.

        Views are impressions, of a video its views. Shares, views and clicks are told to
        organisations; to members where the app may read their statistics.
        """
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Metrics] = {}
        for start in range(0, len(wanted), BATCH):
            found |= self._social_counts(wanted[start : start + BATCH])
        posts = [urn for urn in found if not urn.startswith(COMMENT)]
        if self._is_organization:
            for start in range(0, len(posts), BATCH):
                self._add_statistics(found, posts[start : start + BATCH])
        elif self._granted('r_member_postAnalytics') and self._grant.scopes is not None:
            for urn in posts:
                self._add_member_statistics(found, urn)
        return found

    def _social_counts(self, urns: list[str]) -> dict[str, Metrics]:
        answer = self._get('socialMetadata', {'ids': urns}, method='BATCH_GET')
        results = answer.get('results')
        found = {}
        for urn, entry in (results if isinstance(results, dict) else {}).items():
            if urn not in urns or not isinstance(entry, dict):
                continue
            summary, reactions = entry.get('commentSummary'), entry.get('reactionSummaries')
            kinds = reactions.values() if isinstance(reactions, dict) else ()
            found[urn] = Metrics(
                likes=sum(_count(kind) or 0 for kind in kinds), comments=_count(summary)
            )
        return found

    def _add_statistics(self, found: dict[str, Metrics], urns: list[str]) -> None:
        """Add what an organisation is told; posts that nobody saw are left out of the answer."""
        params: dict[str, Any] = {'q': 'organizationalEntity', 'organizationalEntity': self._me}
        videos = [urn for urn in urns if urn.startswith(_UGC)]
        for name, some in (('ugcPosts', videos), ('shares', [u for u in urns if u not in videos])):
            if not some:
                continue
            try:
                answer = self._get(
                    'organizationalEntityShareStatistics', {**params, name: some}, method='FINDER'
                )
            except PermissionMissing:
                return
            totals = {}
            for entry in elements(answer):
                if isinstance(entry, dict) and isinstance(entry.get('totalShareStatistics'), dict):
                    urn = entry.get('share') or entry.get('ugcPost')
                    totals[str(urn)] = entry['totalShareStatistics']
            for urn in some:
                total, known = totals.get(urn, {}), found[urn]
                views = _number(total, 'impressionCount')
                found[urn] = Metrics(
                    likes=max(known.likes or 0, _number(total, 'likeCount')),
                    comments=max(known.comments or 0, _number(total, 'commentCount')),
                    shares=_number(total, 'shareCount'),
                    views=self._video_views(urn, views) if urn in videos else views,
                    clicks=_number(total, 'clickCount'),
                )

    def _video_views(self, urn: str, otherwise: int) -> int:
        """Return how often a video was viewed; polls have such URNs too, and no such figure."""
        params = {'q': 'entity', 'entity': urn, 'type': 'VIDEO_VIEW'}
        try:
            entries = elements(self._get('videoAnalytics', params, method='FINDER'))
        except (PermissionMissing, Rejected):
            return otherwise
        counts = [_number(e, 'value') for e in entries if isinstance(e, dict) and 'value' in e]
        return sum(counts) if counts else otherwise

    def _add_member_statistics(self, found: dict[str, Metrics], urn: str) -> None:
        entity = {'ugc' if urn.startswith(_UGC) else 'share': urn}
        values: dict[str, int | None] = {}
        for name, kind in (('views', 'IMPRESSION'), ('shares', 'RESHARE')):
            params = {
                'q': 'entity',
                'entity': entity,
                'queryType': kind,
                'aggregation': 'TOTAL',
            }
            try:
                entries = elements(self._get('memberCreatorPostAnalytics', params, method='FINDER'))
            except (PermissionMissing, Rejected):
                return
            values[name] = sum(_count(entry) or 0 for entry in entries)
        known = found[urn]
        found[urn] = Metrics(known.likes, known.comments, values['shares'], values['views'])


# --- pieces --------------------------------------------------------------------------------------


def _count(entry: Any) -> int | None:
    count = entry.get('count') if isinstance(entry, dict) else None
    return count if isinstance(count, int) and count >= 0 else None


def _number(total: dict[str, Any], name: str) -> int:
    value = total.get(name)
    return value if isinstance(value, int) and value > 0 else 0
