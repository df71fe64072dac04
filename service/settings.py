"""The settings of the service: read once from the environment, checked, and from then on unchangeable."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeVar, cast, get_args
from urllib.parse import urlsplit

from msgspec import Struct

T = TypeVar("T")

LogLevel = Literal["critical", "error", "warning", "info", "debug"]


class OperatorError(Exception):
    """Something whoever runs the program has to put right: shown as one line, without a traceback."""


class SettingsError(OperatorError):
    """A setting whose value cannot be used."""


@dataclass(frozen=True, repr=False)
class Secret:
    """The key of the keyed hashes: bytes that no message, log or traceback shows."""

    value: bytes

    def __repr__(self) -> str:
        return "Secret(***)"


class RateLimit(Struct, frozen=True):
    """How often one key may ask: so many requests in so many seconds, per worker."""

    requests: int
    seconds: int


class Access(Struct, frozen=True):
    """The URLs by which one ledger is had: a login each for reading, for writing, and for what only its owner may."""

    read: str
    """For reading and following, on the primary or on a standby."""

    write: str
    """For adding to the ledger, on the primary."""

    own: str
    """For changing the schema and for making and revoking API keys, on the primary."""


class Settings(Struct, frozen=True, kw_only=True):
    """What the environment decides about a running service. A variable that is unset or empty means its default."""

    database_url: str | None = None
    """CHOKEPOINT_DATABASE_URL: the Postgres (15 to 18) that holds the ledger; None is the embedded one."""

    read_url: str | None = None
    """CHOKEPOINT_READ_URL: where it is read and followed instead: by a login that can only read, or from a standby."""

    migrate_url: str | None = None
    """CHOKEPOINT_MIGRATE_URL: the login that may change its schema and its API keys, where the others may not."""

    host: str = "127.0.0.1"
    """CHOKEPOINT_HOST: the address to listen on."""

    port: int = 8000
    """CHOKEPOINT_PORT: the TCP port to listen on, 1 to 65535."""

    workers: int = 1
    """CHOKEPOINT_WORKERS: how many processes answer requests, 1 to 256."""

    home: Path = Path(".chokepoint")
    """CHOKEPOINT_HOME: the folder the embedded Postgres lives in, by default `.chokepoint` in the current folder."""

    log_level: LogLevel = "info"
    """CHOKEPOINT_LOG_LEVEL: the least severe kind of message that is printed."""

    secret: Secret | None = None
    """CHOKEPOINT_SECRET: what API keys are hashed with, 32 characters or more. With the embedded Postgres it is by
    default kept in the home folder, in a file made when it is first needed; with another one, no keys exist without."""

    reads: Literal["open", "keyed"] = "open"
    """CHOKEPOINT_READS: whether anybody may read (`open`) or only who has an API key (`keyed`)."""

    rate_limit: RateLimit = RateLimit(1000, 10)
    """CHOKEPOINT_RATE_LIMIT: how often one key may ask, as `REQUESTS/SECONDS`; each worker counts on its own."""

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Settings:
        """The settings `env` asks for. Raises SettingsError naming the first variable with an unusable value."""

        def read(variable: str, parse: Callable[[str], T], default: T, expected: str) -> T:
            text = env.get(variable, "").strip()
            try:
                return parse(text) if text else default
            except ValueError:
                raise SettingsError(f"{variable} is {redacted(text)!r}; expected {expected}") from None

        if not env.get("CHOKEPOINT_DATABASE_URL", "").strip():
            for variable in ("CHOKEPOINT_READ_URL", "CHOKEPOINT_MIGRATE_URL"):
                if env.get(variable, "").strip():
                    raise SettingsError(f"{variable} is set, but CHOKEPOINT_DATABASE_URL is not")
        return cls(
            database_url=read("CHOKEPOINT_DATABASE_URL", _postgres_url, cls().database_url, _URL_FORM),
            read_url=read("CHOKEPOINT_READ_URL", _postgres_url, cls().read_url, _URL_FORM),
            migrate_url=read("CHOKEPOINT_MIGRATE_URL", _postgres_url, cls().migrate_url, _URL_FORM),
            host=read("CHOKEPOINT_HOST", _host, cls().host, "a host name or an IP address"),
            port=read("CHOKEPOINT_PORT", _whole_number(1, 65535), cls().port, "a whole number from 1 to 65535"),
            workers=read("CHOKEPOINT_WORKERS", _whole_number(1, 256), cls().workers, "a whole number from 1 to 256"),
            home=read("CHOKEPOINT_HOME", _folder, cls().home, "a folder, or a path where one can be made").absolute(),
            log_level=read("CHOKEPOINT_LOG_LEVEL", _log_level, cls().log_level, f"one of {', '.join(_LOG_LEVELS)}"),
            secret=_secret(env.get("CHOKEPOINT_SECRET", "").strip()),
            reads=read("CHOKEPOINT_READS", _reads, cls().reads, "open or keyed"),
            rate_limit=read("CHOKEPOINT_RATE_LIMIT", _rate_limit, cls().rate_limit, "REQUESTS/SECONDS, like 1000/10"),
        )

    @property
    def access(self) -> Access | None:
        """How the ledger is had; None where it is the embedded one's."""
        if self.database_url is None:
            return None
        return Access(self.read_url or self.database_url, self.database_url, self.migrate_url or self.database_url)


_LOG_LEVELS: Final = get_args(LogLevel)
_URL_FORM: Final = "postgresql://USER:PASSWORD@HOST:PORT/NAME"
SHORTEST_SECRET: Final = 32


def redacted(text: str) -> str:
    """`text`, a connection URL or what was meant to be one, with its passwords replaced by `***`."""
    text = re.sub(r"(password\s*=\s*)[^&]*", r"\1***", text, flags=re.IGNORECASE)
    scheme = re.match(r"(?:[a-z+]+://)?", text, re.IGNORECASE)
    head = scheme.group() if scheme else ""
    account, at, place = text.removeprefix(head).rpartition("@")  # an unescaped password may hold an @ of its own
    if at:
        user, colon, _ = account.partition(":")
        return f"{head}{user}{colon}{'***' if colon else ''}@{place}"
    # after a colon stands a port or the rest of an IPv6 address, or else a password whose @ is missing
    return head + re.sub(r"^([^:/?#\[]*):(?!\d{0,5}(?:[/?#]|$)).*", r"\1:***", place, flags=re.DOTALL)


def _postgres_url(text: str) -> str | None:
    parts = urlsplit(text)
    if parts.scheme not in ("postgresql", "postgres") or not (parts.netloc or parts.query):
        raise ValueError
    if "," not in parts.netloc:  # a list of hosts carries several ports
        _ = parts.port  # raises ValueError where it is not a port
    return text


def _secret(text: str) -> Secret | None:
    if text and len(text) < SHORTEST_SECRET:  # said without showing it, as other settings are
        raise SettingsError(f"CHOKEPOINT_SECRET is too short; expected {SHORTEST_SECRET} characters or more")
    return Secret(text.encode()) if text else None


def _reads(text: str) -> Literal["open", "keyed"]:
    if text.lower() not in ("open", "keyed"):
        raise ValueError
    return cast(Literal["open", "keyed"], text.lower())


def _rate_limit(text: str) -> RateLimit:
    requests, slash, seconds = text.partition("/")
    if not slash:
        raise ValueError
    return RateLimit(_whole_number(1, 1_000_000)(requests), _whole_number(1, 86_400)(seconds))


def _host(text: str) -> str:
    if not re.fullmatch(r"[\w.:%-]+", text):
        raise ValueError
    return text


def _whole_number(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
            raise ValueError
        return int(text)

    return parse


def _folder(text: str) -> Path:
    folder = Path(text).expanduser()
    if folder.exists() and not folder.is_dir():
        raise ValueError
    return folder


def _log_level(text: str) -> LogLevel:
    if text.lower() not in _LOG_LEVELS:
        raise ValueError
    return cast(LogLevel, text.lower())
