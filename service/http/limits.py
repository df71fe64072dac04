"""How often a key may ask: a token bucket for each key, and the header fields that say where it stands.

The fields are those of the IETF's draft on RateLimit header fields for HTTP (draft-ietf-httpapi-ratelimit-headers-10):
`RateLimit-Policy: "key";q=1000;w=10` and `RateLimit: "key";r=998;t=1`. Each worker counts on its own, so several
workers together admit up to as many times the limit.
"""

from __future__ import annotations

import math
import time
from typing import NamedTuple

from service.http.problems import Refusal
from service.settings import RateLimit


class TooManyRequests(Refusal):
    """A key that asks more often than it may."""

    status, type, title = 429, "rate-limited", "The key asks more often than it may"


class Allowance(NamedTuple):
    """What a key has left: whole requests it may make at once, and the seconds until it has its whole quota again."""

    remaining: int
    restored_in: int


class Limits:
    """Counts requests by key. A bucket holds the quota and fills evenly, the whole of it in the limit's window."""

    def __init__(self, limit: RateLimit) -> None:
        self._quota = limit.requests
        self._rate = limit.requests / limit.seconds
        self._buckets: dict[str, tuple[float, float]] = {}
        self._policy = f'"key";q={limit.requests};w={limit.seconds}'.encode()

    def take(self, key: str) -> Allowance:
        """Counts one request of a key. Raises TooManyRequests."""
        now = time.monotonic()
        tokens, then = self._buckets.get(key, (float(self._quota), now))
        tokens = min(self._quota, tokens + (now - then) * self._rate)
        if tokens < 1:
            raise self._refusal((1 - tokens) / self._rate, self._allowance(tokens))
        self._buckets[key] = (tokens - 1, now)
        return self._allowance(tokens - 1)

    def _allowance(self, tokens: float) -> Allowance:
        return Allowance(int(tokens), math.ceil((self._quota - tokens) / self._rate))

    def _refusal(self, wait: float, left: Allowance) -> TooManyRequests:
        told = {name.decode(): value.decode() for name, value in self.fields(left)}
        return TooManyRequests(
            f"the key's quota is used up; the next request is admitted in {math.ceil(wait)} s",
            headers={"Retry-After": str(math.ceil(wait)), **told},
        )

    def fields(self, left: Allowance) -> list[tuple[bytes, bytes]]:
        """The header fields that tell an allowance."""
        told = f'"key";r={left.remaining};t={left.restored_in}'.encode()
        return [(b"ratelimit-policy", self._policy), (b"ratelimit", told)]
