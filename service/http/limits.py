"""How often a key may ask: a token bucket for each key, and the header fields that say where it stands.

The fields are those of the IETF's draft on RateLimit header fields for HTTP (draft-ietf-httpapi-ratelimit-headers-10):
`RateLimit-Policy: "key";q=1000;w=10` and `RateLimit: "key";r=998;t=1`. Each worker counts on its own, so several
workers together admit up to as many times the limit.
"""

from __future__ import annotations

from math import ceil
from time import monotonic
from typing import TYPE_CHECKING

from service.http.problems import Refusal

if TYPE_CHECKING:
    from service.http.fields import Fields
    from service.settings import RateLimit


class TooManyRequests(Refusal):
    """A key that asks more often than it may."""

    status, type, title = 429, "rate-limited", "The key asks more often than it may"


class Limits:
    """Counts requests by key. A bucket holds the quota and fills evenly, the whole of it in the limit's window."""

    def __init__(self, limit: RateLimit) -> None:
        self._quota = limit.requests
        self._rate = limit.requests / limit.seconds
        self._buckets: dict[str, tuple[float, float]] = {}
        self._policy = (b"ratelimit-policy", f'"key";q={limit.requests};w={limit.seconds}'.encode())

    def take(self, key: str) -> Fields:
        """Counts one request of a key; the header fields that tell what it has left. Raises TooManyRequests."""
        now = monotonic()
        tokens, then = self._buckets.get(key, (self._quota, now))
        tokens = min(self._quota, tokens + (now - then) * self._rate)
        if tokens < 1:
            raise self._refusal(tokens)
        tokens -= 1
        self._buckets[key] = tokens, now
        return self._told(tokens)

    def _told(self, tokens: float) -> Fields:
        """Whole requests a key may make at once, and the seconds until it has its whole quota again."""
        restored_in = ceil((self._quota - tokens) / self._rate)
        return self._policy, (b"ratelimit", b'"key";r=%d;t=%d' % (tokens, restored_in))

    def _refusal(self, tokens: float) -> TooManyRequests:
        wait = str(ceil((1 - tokens) / self._rate))
        told = {name.decode(): value.decode() for name, value in self._told(tokens)}
        return TooManyRequests(
            f"the key's quota is used up; the next request is admitted in {wait} s",
            headers={"Retry-After": wait, **told},
        )
