"""The command `chokepoint key`: API keys made, listed and taken back."""

from __future__ import annotations

import asyncio
import os
import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from service.console import ledger
from service.migrate import connected, migrate
from service.secret import secret_of
from service.settings import OperatorError, Settings
from service.store import keys

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from asyncpg import Connection, Record


@click.group("key")
def key_group() -> None:
    """Make, list and revoke API keys.

    A key is needed to write, and with CHOKEPOINT_READS=keyed to read. Clients send it as `Authorization: Bearer cpk_…`.
    """


class Expiry(click.ParamType[datetime]):
    """When a key expires: a number of days from now (`90d`), or a day, at whose end (UTC) it does."""

    name = "expiry"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment meant."""
        if found := re.fullmatch(r"([1-9]\d{0,4})d", value):
            return datetime.now(UTC) + timedelta(days=int(found[1]))
        try:
            day = date.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is neither a number of days, like 90d, nor a day, like 2027-12-31", param, ctx)
        if day < datetime.now(UTC).date():
            self.fail(f"{value} is over", param, ctx)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def _name(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    if not value.strip() or not value.isprintable() or len(value) > 80:
        raise click.BadParameter("a name has 1 to 80 printable characters")
    return value.strip()


def _with_database(settings: Settings, work: Callable[[Connection[Record]], Awaitable[Any]]) -> Any:
    async def run(dsn: str) -> Any:
        await migrate(dsn)
        async with connected(dsn) as connection:
            return await work(connection)

    with ledger(settings) as access:
        return asyncio.run(run(access.own))


@key_group.command("create")
@click.argument("name", callback=_name)
@click.option("--scope", type=click.Choice(keys.SCOPES), required=True, help="write includes read, admin both.")
@click.option("--expires", type=Expiry(), metavar="90d|DATE", help="When it stops working; never if left out.")
def create_command(name: str, scope: keys.Scope, expires: datetime | None) -> None:
    """Make a key and show it, this once.

    NAME says who holds it; every revision written with the key carries it. The key itself goes to stdout.

    \b
    Example:
      chokepoint key create "import job" --scope write --expires 365d
    """
    settings = Settings.from_env(os.environ)
    secret = secret_of(settings)
    key, presented = _with_database(settings, lambda connection: keys.create(connection, secret, name, scope, expires))
    until = f"until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else "until it is revoked"
    click.echo(f"Key {key.id} of {key.name!r} may {scope} {until}. It is not shown again:", err=True)
    click.echo(presented)


@key_group.command("list")
def list_command() -> None:
    """Show all keys there ever were, without the secret part nobody knows."""
    from rich.console import Console  # takes its time, which the other commands have no use for
    from rich.table import Table

    found: list[keys.Key] = _with_database(Settings.from_env(os.environ), keys.all_keys)
    table = Table("id", "name", "scope", "created", "expires", "state", box=None)
    now = datetime.now(UTC)
    for key in found:
        state = "revoked" if key.revoked_at else "expired" if key.expires_at and key.expires_at <= now else "works"
        table.add_row(key.id, key.name, key.scope, _day(key.created_at), _day(key.expires_at), state)
    Console().print(table)


def _day(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else ""


@key_group.command("revoke")
@click.argument("key")
@click.option("--reason", default="", help="Why, for the record.")
def revoke_command(key: str, reason: str) -> None:
    """Take back the key with the id KEY; running services refuse it at once.

    \b
    Example:
      chokepoint key revoke k7m2q4xa --reason "left the team"
    """
    try:
        done = _with_database(Settings.from_env(os.environ), lambda connection: keys.revoke(connection, key, reason))
    except LookupError as error:
        raise OperatorError(f"{error.args[0]}; chokepoint key list shows those there are") from None
    click.echo("revoked" if done else "it was revoked before")
