"""The program `chokepoint`. Results go to stdout; messages, and the one line that says what went wrong, to stderr."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from types import FrameType
from typing import Any, Final, NoReturn

import click

from service.cli_import import import_command, retract_command
from service.cli_keys import key_group
from service.cli_score import score_command, seed_command
from service.cli_verify import verify_command
from service.console import ledger
from service.embedded import embedded
from service.logins import check_logins, make_logins, of_embedded
from service.migrate import Away, DatabaseError, Standing, connected, migrate, status
from service.settings import Access, OperatorError, Settings

FAILED: Final = 2
"""The exit code of a command whose settings, database or input have to be put right first."""


class Program(click.Group):
    """A group of commands that ends with one line and FAILED where the operator has something to put right."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with stoppable():
                return super().invoke(ctx)
        except OperatorError as error:
            click.echo(f"chokepoint: {' '.join(str(error).split())}", err=True)
            ctx.exit(FAILED)


@contextlib.contextmanager
def stoppable() -> Iterator[None]:
    """Turn the first signal to stop into SystemExit, so that what was begun is cleaned up; ignore those after it."""

    def stop(number: int, _frame: FrameType | None) -> NoReturn:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise SystemExit(128 + number)

    before = {each: signal.signal(each, stop) for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="chokepoint")
def main() -> None:
    """How risky it is for a buyer to depend on a mineral, and why.

    Settings come from the environment: CHOKEPOINT_DATABASE_URL (a Postgres 15 to 18; without it an embedded one is
    used), CHOKEPOINT_READ_URL and CHOKEPOINT_MIGRATE_URL (other logins for reading it and for changing its schema),
    CHOKEPOINT_HOST, CHOKEPOINT_PORT, CHOKEPOINT_WORKERS, CHOKEPOINT_HOME, CHOKEPOINT_LOG_LEVEL, CHOKEPOINT_READS (open
    or keyed), CHOKEPOINT_SECRET and CHOKEPOINT_RATE_LIMIT.
    """


@main.command("serve")
@click.option("--host", metavar="ADDRESS", help="Instead of CHOKEPOINT_HOST (127.0.0.1).")
@click.option("--port", metavar="NUMBER", help="Instead of CHOKEPOINT_PORT (8000).")
@click.option("--workers", metavar="NUMBER", help="Instead of CHOKEPOINT_WORKERS (1).")
@click.option("--with-parent", is_flag=True, help="Stop when the process that started this one ends.")
def serve_command(with_parent: bool, **given: str | None) -> None:
    """Serve the HTTP interface until Ctrl-C or SIGTERM.

    Starts the embedded Postgres unless CHOKEPOINT_DATABASE_URL names another, brings the schema up to date, and fills
    an empty ledger with the shipped evidence.

    \b
    Example:
      chokepoint serve --port 8080 --workers 2
    """
    from service import serve  # the other commands do without the server's modules

    options = {f"CHOKEPOINT_{name.upper()}": value for name, value in given.items() if value is not None}
    os.environ.update(options)  # the workers read their settings there
    settings = Settings.from_env(os.environ)
    serve.configure_logging(settings)
    with contextlib.ExitStack() as stack:
        if with_parent:
            serve.stop_when(serve.await_orphanhood)
        serve.free_address(settings)  # says so before anything is started
        access = settings.access or of_embedded(stack.enter_context(embedded(settings.home)))
        try:
            asyncio.run(_prepare(access, with_logins=settings.access is None))
        except Away as error:
            if not asyncio.run(_can_be_read(access)):
                raise
            click.echo(f"Note: {error}; what is there is served, and nothing can be written.", err=True)
        serve.serve(settings, access)


async def _prepare(access: Access, *, with_logins: bool) -> None:
    """Bring the schema up to date, and seed the ledger where nothing has been written to it yet."""
    for applied in await migrate(access.own):
        click.echo(f"Applied migration {applied.name}.", err=True)
    if with_logins:
        await make_logins(access)
    for told in await check_logins(access):
        click.echo(f"Note: {told}.", err=True)
    async with connected(access.write) as connection:
        empty = await connection.fetchval("select not exists (select from revision)")
    if empty:
        from service.seeding import seed  # needed once in a ledger's life

        click.echo("Filling the empty ledger with the shipped evidence.", err=True)
        await seed(access.write)


async def _can_be_read(access: Access) -> bool:
    """Whether a standby has all that reading needs, while the primary is away."""
    try:
        return access.read != access.write and all(each.state == "applied" for each in await status(access.read))
    except DatabaseError:
        return False


@main.command("migrate")
@click.option("--status", "only_status", is_flag=True, help="Show where each migration stands and change nothing.")
@click.option("--logins", "with_logins", is_flag=True, help="Then make the logins of the URLs for reading and writing.")
def migrate_command(only_status: bool, with_logins: bool) -> None:
    """Bring the database to the newest schema.

    Several programs may do this at once; each file is applied exactly once, wholly or not at all. With --status the
    exit code is 2 where an applied file was edited or is missing.

    With --logins the login of CHOKEPOINT_MIGRATE_URL makes those of CHOKEPOINT_DATABASE_URL, which may then add to the
    ledger, and of CHOKEPOINT_READ_URL, which may only read, or gives them the passwords that the URLs have by now.

    \b
    Example:
      CHOKEPOINT_DATABASE_URL=postgresql://me@localhost/risk chokepoint migrate --status
    """
    with ledger(Settings.from_env(os.environ)) as access:
        if only_status:
            standings = asyncio.run(status(access.own))
            _print_standings(standings)
            raise SystemExit(FAILED if any(each.state in ("edited", "missing") for each in standings) else 0)
        applied = asyncio.run(migrate(access.own))
        for each in applied:
            click.echo(f"applied {each.name}")
        if not applied:
            click.echo("nothing to apply")
        if with_logins:
            click.echo(f"logins: {', '.join(asyncio.run(make_logins(access)))}")


def _print_standings(standings: list[Standing]) -> None:
    from rich.console import Console  # takes its time, which `serve` has no use for
    from rich.table import Table

    table = Table("migration", "state", "applied at", box=None)
    for each in standings:
        table.add_row(each.name, each.state, each.applied_at.isoformat(" ", "seconds") if each.applied_at else "")
    Console().print(table)


for _command in (seed_command, score_command, verify_command, import_command, retract_command, key_group):
    main.add_command(_command)
