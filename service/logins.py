"""The logins of a service, and that they can do what they are for and no more.

The migrations make two roles that say what may be done, `chokepoint_reader` and `chokepoint_writer`; a login is one of
them itself or a member of one. Logins are made by the ledger's owner, of whom a service that answers requests needs to
know nothing.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
import time
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from service.migrate import connected
from service.settings import Access, OperatorError, redacted

if TYPE_CHECKING:
    from asyncpg import Connection, Record

READER: Final = "chokepoint_reader"
WRITER: Final = "chokepoint_writer"

OWNERS_OWN: Final = ("api_key", "api_key_revocation")
"""Tables of the ledger that a writer may not add to."""

PATIENCE_WITH_STANDBY: Final = 5.0
"""Seconds until a standby must have replayed what a migration on the primary has just granted."""

ITERATIONS: Final = 4096
"""Of a password's hash: what Postgres itself takes by default."""


class LoginError(OperatorError):
    """A login that cannot be made, or cannot do what it is for."""


class Login(NamedTuple):
    """Who connects by a URL."""

    name: str
    password: str | None

    @classmethod
    def of(cls, url: str) -> Login:
        """The login a URL names. Raises LoginError where it names none."""
        parts = urlsplit(url)
        said = {word: values[-1] for word, values in parse_qs(parts.query).items()}
        name = unquote(parts.username or "") or said.get("user", "")
        if not name:
            raise LoginError(f"{redacted(url)} names no login")
        return cls(name, unquote(parts.password) if parts.password else said.get("password"))


async def make_logins(access: Access) -> list[str]:
    """Make the logins for reading and writing, or give those that are there the passwords of their URLs.

    The value is their names. Raises LoginError where one is the owner's own, and DatabaseError where the owner may not
    make logins.
    """
    wanted = {Login.of(access.read): READER} | {Login.of(access.write): WRITER}  # who writes reads as well
    async with connected(access.own) as owner, owner.transaction():
        for login, role in wanted.items():
            await _make(owner, login, role)
    return sorted(login.name for login in wanted)


async def _make(owner: Connection[Record], login: Login, role: str) -> None:
    if await owner.fetchval(_OWNS, login.name):
        raise LoginError(
            f"{login.name} owns the ledger, or may do anything: reading and writing need logins of their own"
        )
    exists = await owner.fetchval("select exists (select from pg_roles where rolname = $1)", login.name)
    statements = [f"{'alter' if exists else 'create'} role %1$I login", "grant connect on database %2$I to %1$I"]
    if login.password is not None:
        statements[0] += f" password '{verifier(login.password)}'"
    if login.name != role:
        statements.append(f"grant {role} to %1$I")
    for statement in statements:
        quoted = "select format($1, $2::text, current_database())"
        await owner.execute(await owner.fetchval(quoted, statement, login.name))


_OWNS: Final = """
select rolsuper or pg_has_role(oid, (select relowner from pg_class where oid = 'revision'::regclass), 'member')
from pg_roles where rolname = $1"""


def verifier(password: str) -> str:
    """What Postgres keeps of a password (SCRAM-SHA-256, RFC 5803), so that no statement and no log has the password.

    Raises LoginError where it is not ASCII: others would have to be normalised first (RFC 4013).
    """
    if not password.isascii():
        raise LoginError("a login's password has to be ASCII")
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    keys = ":".join(base64.b64encode(key).decode() for key in (stored, server))
    return f"SCRAM-SHA-256${ITERATIONS}:{base64.b64encode(salt).decode()}${keys}"


async def check_logins(access: Access) -> list[str]:
    """See that the ledger can be read, and tell what else speaks against the logins, a line each.

    Raises LoginError where it cannot be read, and DatabaseError.
    """
    reading, writing = await _rights(access.read), await _rights(access.write)
    told = []
    if not all(right.add for right in writing if right.table not in OWNERS_OWN):
        told.append(f"{redacted(access.write)} may not add to the ledger: it is served, but only to be read")
    if any(right.add for right in reading) and access.read != access.write:
        told.append(f"{redacted(access.read)} may do more than read; a member of {READER} may not")
    if any(right.change for right in (*reading, *writing)):
        told.append(
            "requests are answered by a login that may change the ledger; docs/database.md says how to have others"
        )
    return told


class _Right(NamedTuple):
    """What a login may do with one table of the ledger."""

    table: str
    read: bool
    add: bool
    change: bool


async def _rights(url: str) -> list[_Right]:
    """What the login of a URL may do. Raises LoginError where there is a table it may not read."""
    deadline = time.monotonic() + PATIENCE_WITH_STANDBY
    async with connected(url) as connection:
        while True:
            rights = [_Right(*record) for record in await connection.fetch(_RIGHTS)]
            unread = [right.table for right in rights if not right.read]
            if rights and not unread:
                return rights
            if time.monotonic() > deadline or not await connection.fetchval("select pg_is_in_recovery()"):
                tables = ", ".join(unread) or "any table of a ledger"
                raise LoginError(f"{redacted(url)} may not read {tables}; a member of {READER} may")
            await asyncio.sleep(0.1)


_RIGHTS: Final = """
select relname, has_table_privilege(oid, 'select'), has_table_privilege(oid, 'insert'),
       has_table_privilege(oid, 'update, delete, truncate, trigger')
from pg_class where exists (select from pg_trigger where tgrelid = pg_class.oid and tgname = 'only_grows')
                and pg_table_is_visible(oid) order by relname"""


def of_embedded(dsn: str) -> Access:
    """How a service has the embedded ledger whose owner connects by `dsn`: no password is needed on its socket."""
    read, write = (urlsplit(dsn)._replace(netloc=f"{role}@").geturl() for role in (READER, WRITER))
    return Access(read=read, write=write, own=dsn)
