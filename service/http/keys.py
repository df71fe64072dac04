"""Who asks: API keys on the way in, before any finished answer is given and before any routing.

A key is presented as `Authorization: Bearer cpk_…`. Every worker keeps all keys in memory, so a request with one
touches no database; a revocation is heard of at once by NOTIFY, and otherwise within seconds. Where reads are open,
they do not look at keys at all, so that the answer is one and the same for everybody and a proxy may keep it.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from litestar.openapi.spec import SecurityScheme

from service.http import docs
from service.http.fields import by_name
from service.http.limits import Limits
from service.http.metrics import answered
from service.http.problems import Refusal, Unavailable, messages
from service.store import keys as store
from service.store.follow import following
from service.store.keys import CHANNEL, SCOPES, Key, Scope

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from litestar.connection import ASGIConnection
    from litestar.handlers import BaseRouteHandler
    from litestar.types import Guard, HTTPScope, Message, Receive, Send
    from litestar.types import Scope as AnyScope

    from service.http.fields import Fields
    from service.settings import Secret
    from service.store.ledger import Connection

    Answer = Callable[[HTTPScope, Receive, Send, Fields], Awaitable[None]]
    """Answers a request, and tells some header fields with it."""

_OPEN = frozenset(("/", docs.PATH, "/openapi.json", "/metrics", "/health/live", "/health/ready"))
"""What never needs a key; anything else does where reads are keyed, whatever it may turn out to be."""

SECURITY: list[dict[str, list[str]]] = [{"key": []}]
"""The `security` of an operation that always needs a key."""

SCHEME = SecurityScheme(
    type="http",
    scheme="bearer",
    bearer_format="cpk_…",
    description="An API key, made with `chokepoint key create`. Writing needs one with the scope `write`; reading needs"
    " one only where the operator asks for it, and then any will do.",
)

MOST_PROVEN = 1024
"""Keys whose keyed hash need not be worked out for every request, by a hash of the header they came in."""

_NOBODY = bytes(32)
_PLAIN = frozenset(("GET", "HEAD", "OPTIONS"))


class Unauthorized(Refusal):
    """A request without a key that is needed, or with one that does not work."""

    status, type, title = 401, "unauthorized", "An API key is needed"

    def __init__(self, detail: str, challenge: str = "") -> None:
        super().__init__(detail, headers={"WWW-Authenticate": f'Bearer realm="chokepoint"{challenge}'})


class Forbidden(Refusal):
    """A key whose scope does not reach as far as the request."""

    status, type, title = 403, "forbidden", "The API key's scope does not reach that far"

    def __init__(self, scope: Scope, has: Scope) -> None:
        challenge = f'Bearer realm="chokepoint", error="insufficient_scope", scope="{scope}"'
        detail = f"this needs a key with the scope {scope!r}; the one given has {has!r}"
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


def is_open(path: str) -> bool:
    """Whether a path is one that never needs a key: documentation, health and metrics."""
    return (path.rstrip("/") or "/") in _OPEN or path.startswith(docs.ASSETS_PATH + "/")


class Caller(NamedTuple):
    """Whose key a request came with."""

    id: str
    name: str
    scope: Scope

    @property
    def author(self) -> str:
        """Who a revision says has written it."""
        return f"{self.name} (key {self.id})"

    def may(self, scope: Scope) -> bool:
        """Whether the key reaches as far as a scope."""
        return SCOPES.index(scope) <= SCOPES.index(self.scope)


def caller_of(connection: ASGIConnection[Any, Any, Any, Any]) -> Caller | None:
    """Whose key a request came with; None without one, or where keys are not looked at."""
    caller: Caller | None = connection.scope["state"].get("caller")
    return caller


def requires(scope: Scope) -> Guard:
    """A guard that lets a request pass only with a key of that scope, or of one that includes it."""

    def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        caller = caller_of(connection)
        if caller is None:
            raise Unauthorized(f"this needs an API key with the scope {scope!r}: `Authorization: Bearer cpk_…`")
        if not caller.may(scope):
            raise Forbidden(scope, caller.scope)

    return guard


class Keyring:
    """All keys, in memory, followed as they are made and revoked. Without a secret there are none."""

    def __init__(self, dsn: str, secret: Secret | None) -> None:
        self._dsn = dsn
        self._secret = secret
        self._keys: dict[str, Key] | None = None
        self._state: tuple[int, int] | None = None
        self._proven: dict[bytes, tuple[Caller, datetime | None]] = {}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follows the keys while the block runs; they are read before it starts if the database is up."""
        if self._secret is None:
            yield
            return
        first = asyncio.Event()
        async with following(self._dsn, CHANNEL, self._look, lambda _: first.set()):
            await first.wait()
            yield

    async def _look(self, connection: Connection) -> None:
        state = await store.state(connection)
        if state != self._state:
            self._keys = {key.id: key for key in await store.all_keys(connection)}
            self._proven.clear()
            self._state = state

    def identify(self, presented: bytes) -> Caller:
        """Whose key an Authorization header presents. Raises Unauthorized, and Unavailable before the keys are read."""
        fingerprint = hashlib.blake2b(presented, digest_size=16).digest()
        proven = self._proven.get(fingerprint)
        if proven is None:
            proven = self._prove(_key_in(presented))
            if len(self._proven) >= MOST_PROVEN:
                self._proven.clear()
            self._proven[fingerprint] = proven
        caller, expires_at = proven
        if expires_at is not None and expires_at <= datetime.now(UTC):
            raise _refused("the API key has expired")
        return caller

    def _prove(self, presented: str) -> tuple[Caller, datetime | None]:
        """Whose key this is, and when it expires."""
        if self._secret is None:
            raise Unauthorized("this service has no API keys: its operator has not set CHOKEPOINT_SECRET")
        given_id = store.key_id(presented)
        if given_id is None:
            raise _refused("what was presented is not an API key, or is one with a slip in it")
        if self._keys is None:
            raise Unavailable("the API keys have not been read yet")
        key = self._keys.get(given_id)
        known = hmac.compare_digest(store.digest(self._secret, presented), key.digest if key else _NOBODY)
        if key is None or not known:
            raise _refused("no such API key exists")
        if key.revoked_at is not None:
            raise _refused("the API key has been revoked")
        return Caller(key.id, key.name, key.scope), key.expires_at


def _refused(detail: str) -> Unauthorized:
    return Unauthorized(detail, ', error="invalid_token"')


class Gate:
    """Stands before everything else: identifies who presents a key, holds keys to their limit, and where reads are
    keyed turns away who has none. Whether a key reaches as far as a route is the route's own affair (`requires`)."""

    def __init__(
        self, keyring: Keyring, limits: Limits, reads: Literal["open", "keyed"], fields: list[tuple[bytes, bytes]]
    ) -> None:
        self._keyring = keyring
        self._limits = limits
        self._fields = fields
        self.open_to_reads = reads == "open"

    def stands_open(self, scope: HTTPScope) -> bool:
        """Whether a request needs no key and is held to no limit: anybody may pass."""
        return (self.open_to_reads and scope["method"] in _PLAIN) or is_open(scope["path"])

    async def __call__(self, scope: HTTPScope, receive: Receive, send: Send, answer: Answer) -> None:
        """Answers a request at which the gate does not stand open, by `answer` if it may pass."""
        try:
            told = self._admit(scope)
        except Refusal as refusal:
            answered("(refused)", refusal.status)
            for message in messages(refusal, self._fields, with_body=scope["method"] != "HEAD"):
                await send(message)
            return
        await answer(scope, receive, send, told)

    def _admit(self, scope: HTTPScope) -> Fields:
        """The header fields that tell a caller its limit, none without a caller. Raises Refusal."""
        presented = by_name(scope).get(b"authorization")
        if presented is None:
            if self.open_to_reads:
                return ()
            raise Unauthorized("reading needs an API key: `Authorization: Bearer cpk_…`")
        caller = self._keyring.identify(presented)
        told = self._limits.take(caller.id)
        scope.setdefault("state", {})["caller"] = caller
        return told


def _key_in(presented: bytes) -> str:
    """The key in an Authorization header. Raises Unauthorized for anything else there."""
    kind, _, key = presented.decode("latin-1").partition(" ")
    if kind.lower() != "bearer" or "," in key:
        raise _refused("the key belongs into one header, `Authorization: Bearer cpk_…`")
    return key.strip()


def keep_private(message: Message, scope: AnyScope) -> None:
    """Keeps answers to keyed reads out of shared caches; done to what the app sends."""
    if message["type"] != "http.response.start" or is_open(scope["path"]):
        return
    headers = [(bytes(name).lower(), bytes(value)) for name, value in message["headers"]]
    vary = [value for name, value in headers if name == b"vary"]
    message["headers"] = [
        (name, value.replace(b"public", b"private") if name == b"cache-control" else value)
        for name, value in headers
        if name != b"vary"
    ] + [(b"vary", b", ".join([*vary, b"Authorization"]))]
