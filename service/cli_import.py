"""`chokepoint import` and `chokepoint retract`: files into the ledger, and revisions taken back."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from service.console import ledger
from service.migrate import connected, migrate
from service.settings import Access, OperatorError, Settings

if TYPE_CHECKING:
    from service.importing import Findings, Outcome, Request

PROBLEMS: Final = 1
"""The exit code of an import whose file has problems."""

BUYERS: Final = ("USA", "EU")
"""Whose scores a dry run looks at, unless told otherwise."""

READABLE = click.Path(exists=True, dir_okay=False, path_type=Path)


class RequestError(OperatorError):
    """An import that cannot begin."""


class _Formats(click.Command):
    """A command whose help lists the formats, loaded only when it is asked for."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        from service.intake.formats import FORM, FORMATS

        with formatter.section("Formats"):
            published = [(each.id, each.description) for each in FORMATS.values() if each.publication]
            forms = ", ".join(each.removeprefix(FORM) for each in FORMATS if each.startswith(FORM))
            formatter.write_dl([*published, (f"{FORM}KIND", f"the project's own form for a kind of evidence: {forms}")])


@click.command("import", cls=_Formats)
@click.argument("format_id", metavar="FORMAT")
@click.argument("file", type=READABLE)
@click.option("--source", metavar="ID", help="The source to cite, if not the one the publication's edition goes by.")
@click.option("--edition", metavar="YEAR", help="The publication's edition, where the file does not tell it.")
@click.option("--reason", metavar="TEXT", help="Why; kept with the revision.")
@click.option("--author", metavar="NAME", help="Who; kept with the revision. Your login name if left out.")
@click.option("--map", "mapping", type=READABLE, help="CSV with the columns printed,meant: names the ledger lacks.")
@click.option("--codes", type=READABLE, help="BACI's file of country codes, country_codes_V….csv.")
@click.option("--dry-run", is_flag=True, help="Change nothing, and show what would change, scores included.")
@click.option("--buyer", "buyers", multiple=True, metavar="CODE", help="Whose scores a dry run shows; USA and EU.")
def import_command(format_id: str, file: Path, mapping: Path | None, **options: Any) -> None:
    """Import FILE, which is in FORMAT, as one revision of the ledger: all of it or nothing.

    Text or gzip. Where something is wrong every problem is listed by line and column, nothing is changed, and the exit
    code is 1. What the ledger holds already adds nothing, so importing a file twice makes no second revision.

    \b
    Examples:
      chokepoint import usgs-mcs MCS2026_Commodities_Data.csv --dry-run
      chokepoint import wgi wgi.csv --edition 2024 --map names.csv
      chokepoint import form:agreement agreements.csv --reason "signed in May"
    """
    from service.importing import Request

    request = Request(
        format=format_id,
        path=file,
        name=file.name,
        author=options["author"] or _login(),
        source=options["source"],
        edition=options["edition"],
        reason=options["reason"],
        corrections=_corrections(mapping) if mapping else {},
        codes=options["codes"],
        dry_run=options["dry_run"],
        buyers=options["buyers"] or BUYERS,
    )
    with ledger(Settings.from_env(os.environ)) as access:
        outcome = asyncio.run(_import(access, request))
    if outcome.findings.count:
        _report(request, outcome.findings)
        raise SystemExit(PROBLEMS)
    _tell(request, outcome)


async def _import(access: Access, request: Request) -> Outcome:
    from service.importing import NotPossible, import_file
    from service.store.ledger import LedgerError

    await migrate(access.own)
    async with connected(access.write) as connection:
        try:
            with _progress(f"Reading {request.name}") as progress:
                return await import_file(connection, request, progress)
        except (NotPossible, LedgerError) as error:
            raise RequestError(str(error)) from error


@contextmanager
def _progress(text: str) -> Iterator[Callable[[float], None]]:
    """A progress bar on a terminal, one line elsewhere; both on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        click.echo(f"{text} …", err=True)
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task(text, total=1.0)

        def told(part: float) -> None:
            bar.update(task, completed=part, description="Writing" if part >= 1 else text)

        yield told


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # an account without a name, as in containers
        return f"user {os.getuid()}"


def _corrections(path: Path) -> dict[str, str]:
    """What a mapping file teaches. Raises RequestError where it is not one."""
    from service.importing import corrections

    try:
        return corrections(path)
    except ValueError as error:
        raise RequestError(f"{path.name}: {error}") from error


def _report(request: Request, findings: Findings) -> None:
    """Every problem on a line of its own, as editors understand it, and how many there are."""
    for problem in findings.problems:
        place = f"{request.name}:{problem.line}: {problem.column}".rstrip()
        click.echo(f"{place} {problem.value!r}: expected {problem.expected}")
    click.echo(f"{request.name}: {findings.total}; nothing was changed", err=True)


def _tell(request: Request, outcome: Outcome) -> None:
    for reason, count in outcome.findings.skipped.items():
        click.echo(f"passed over {count:,} lines: {reason}")
    revision = outcome.revision
    if revision is None:
        held = ", ".join(f"{count:,} {kind}" for kind, count in outcome.findings.read.items())
        click.echo(f"nothing new: the ledger holds all of it already ({held})")
        return
    would = "would be " if request.dry_run else ""
    counts = "; ".join(
        f"{kind}: {outcome.added[kind]:,} added, {outcome.changed[kind]:,} changed" for kind in revision.rows
    )
    click.echo(f"{would}revision {revision.id}: {counts}")
    if request.dry_run:
        _tell_moved(outcome, request)


def _tell_moved(outcome: Outcome, request: Request) -> None:
    from rich.console import Console
    from rich.table import Table

    if not outcome.moved:
        click.echo(f"no score of {' or '.join(request.buyers)} would move")
        return
    table = Table("mineral", "buyer", "before", "after", "by", box=None, pad_edge=False)
    for moved in outcome.moved:
        both = None if moved.before is None or moved.after is None else moved.after - moved.before
        table.add_row(
            moved.mineral,
            moved.buyer,
            *("none" if score is None else f"{score:.1f}" for score in (moved.before, moved.after)),
            "" if both is None else f"{both:+.2g}",
        )
    Console(soft_wrap=True).print(table)


@click.command("retract")
@click.argument("revision", type=click.IntRange(min=1))
@click.option("--reason", required=True, metavar="TEXT", help="Why; kept with the new revision.")
@click.option("--author", metavar="NAME", help="Who; kept with the new revision. Your login name if left out.")
def retract_command(revision: int, reason: str, author: str | None) -> None:
    """Take back what REVISION wrote, in a new revision, wherever nothing newer has replaced it.

    Both stay on record: asked with its own `known_at`, every answer stays what it was.

    \b
    Example:
      chokepoint retract 7 --reason "wrong edition"
    """
    with ledger(Settings.from_env(os.environ)) as access:
        click.echo(asyncio.run(_retract(access, revision, reason, author or _login())))


async def _retract(access: Access, number: int, reason: str, author: str) -> str:
    from service.importing import retract
    from service.store.ledger import LedgerError

    await migrate(access.own)
    async with connected(access.write) as connection:
        try:
            written = await retract(connection, number, author=author, reason=reason)
        except (LookupError, LedgerError) as error:
            raise RequestError(str(error)) from error
    if written is None:
        return f"nothing to take back: no row of revision {number} stands"
    return f"revision {written.id}: {', '.join(f'{count:,} {kind}' for kind, count in written.rows.items())} taken back"
