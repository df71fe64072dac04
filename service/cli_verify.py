"""`chokepoint verify`: our values against those that the authors of the methods have published, row by row."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

import click

from service.console import ledger
from service.migrate import connected, migrate
from service.settings import Access, Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from service.methods.verification import Case
    from service.world.world import World

REGRESSION: Final = 1
"""The exit code where a row differs from what is published and is not named as a known mismatch."""

WIDTH: Final = 110
"""Columns of a table that goes to a file or another program."""


@click.command("verify")
@click.option("--method", metavar="ID", help="Only this method, such as eu-crm.")
@click.option("--vintage", type=int, metavar="YEAR", help="Only this list or table: 2017, 2022, 2023.")
@click.option("--json", "as_json", is_flag=True, help="Print the rows as a JSON list.")
def verify_command(method: str | None, vintage: int | None, as_json: bool) -> None:
    """Compare our values with published ones, over all rows of the published tables.

    Known mismatches are named with their reason; rows whose published value is not known here are predicted. The exit
    code is 1 where a row differs and is not named. An empty ledger is filled with the shipped evidence first.

    \b
    Example:
      chokepoint verify --method eu-crm --vintage 2023
    """
    from service.methods.verification import verify
    from service.risk.methods import METHODS

    if method is not None and method not in METHODS:
        raise click.BadParameter(
            f"no method is called {method!r}; there are {', '.join(METHODS)}", param_hint="--method"
        )
    with ledger(Settings.from_env(os.environ)) as access:
        world = asyncio.run(_read(access))
    cases = verify(world, method, vintage)
    if as_json:
        click.echo(json.dumps([_row(case) for case in cases], indent=1, ensure_ascii=False))
    else:
        _print(world, cases, method)
    raise SystemExit(REGRESSION if any(case.verdict == "mismatch" for case in cases) else 0)


async def _read(access: Access) -> World:
    from service.store import reading
    from service.world.world import build

    await migrate(access.own)
    async with connected(access.write) as connection:
        head = await reading.head(connection)
    if head is None:
        from service.seeding import seed  # needed once in a ledger's life

        click.echo("Filling the empty ledger with the shipped evidence.", err=True)
        await seed(access.write)
    async with connected(access.write) as connection:
        head = await reading.head(connection)
        assert head is not None
        return build(await reading.evidence(connection, head))


def _row(case: Case) -> dict[str, object]:
    return {
        **case.key._asdict(),
        "published": case.published,
        "computed": case.computed,
        "verdict": case.verdict,
    }


def _print(world: World, cases: Sequence[Case], method: str | None) -> None:
    from rich.console import Console

    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    tables: dict[tuple[str, int], list[Case]] = {}
    for case in cases:
        tables.setdefault((case.key.method, case.key.vintage), []).append(case)
    for (name, vintage), rows in tables.items():
        _print_table(console, f"{name} {vintage}", rows)
    if cases:
        _print_tallies(console, world, cases)
    else:
        from service.methods.verification import UNPUBLISHED

        console.print(UNPUBLISHED.get(method or "", "No row is asked for."), soft_wrap=True)


def _print_table(console: Console, title: str, rows: Sequence[Case]) -> None:
    from rich.table import Table

    table = Table(
        "material", "stage", "buyer", "published", "computed", "difference", "verdict", box=None, pad_edge=False
    )
    for case in rows:
        table.add_row(
            case.key.material,
            case.key.stage or "",
            case.key.buyer,
            "not known" if case.published is None else f"{case.published:g}",
            "none" if case.computed is None else f"{case.computed:.4f}",
            "" if case.difference is None else f"{case.difference:+.4f}",
            case.verdict.replace("_", " "),
        )
    console.print(f"\n[bold]{title}[/]")
    console.print(table)
    for reason, about in _reasons(rows).items():
        console.print(f"  {', '.join(about)}: {reason}", soft_wrap=True)


def _reasons(rows: Sequence[Case]) -> dict[str, list[str]]:
    """What is said of rows, and of which; one reason may be that of all of a table."""
    reasons: dict[str, list[str]] = {}
    for case in rows:
        if case.reason:
            reasons.setdefault(case.reason, []).append(f"{case.key.material} {case.key.stage or ''}".strip())
    return {reason: about if len(about) < len(rows) else ["all rows"] for reason, about in reasons.items()}


def _print_tallies(console: Console, world: World, cases: Sequence[Case]) -> None:
    from service.methods.verification.eu_crm import list_rules, tally
    from service.risk.methods.eu_crm import ID

    console.print("\n[bold]In sum[/]")
    for verdict, count in Counter(case.verdict for case in cases).most_common():
        console.print(f"  {count} {verdict.replace('_', ' ')}")
    eu = [case for case in cases if case.key.method == ID]
    for vintage in sorted({case.key.vintage for case in eu}, reverse=True):
        found = tally(eu, vintage)
        console.print(
            f"  eu-crm {vintage}: {found.published} of {found.rows} rows have a published value; {found.exact} exact,"
            f" {found.within_tenth} within 0.1, {found.same_side} on the same side of 1.0, {found.within_rounding}"
            f" within the rounding of the printed inputs; {found.predicted} predicted",
            soft_wrap=True,
        )
    for rule in list_rules(world) if eu else ():
        left_open = f", and {', '.join(rule.open)} open by the rounding of printed inputs" if rule.open else ""
        console.print(
            f"  list rule {rule.year}: {len(rule.critical)} materials{left_open}; by published values {rule.published}",
            soft_wrap=True,
        )
