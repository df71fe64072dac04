"""`chokepoint seed` and `chokepoint score`: the shipped evidence, and an account of one score for a person."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import click
import msgspec
from rich.console import Console
from rich.table import Table

from service.console import ledger
from service.migrate import connected, migrate
from service.settings import Access, OperatorError, Settings

if TYPE_CHECKING:
    from schemas.score import Score, StageScore, Supplier
    from service.world.world import World


class QuestionError(OperatorError):
    """A question that names something the ledger does not know."""


@click.command("seed")
def seed_command() -> None:
    """Write the shipped evidence to the ledger.

    What the ledger has already is left alone, so doing it twice changes nothing.

    \b
    Example:
      chokepoint seed
    """
    from service.seeding import seed

    async def run(access: Access) -> None:
        await migrate(access.own)
        revision = await seed(access.write)
        if revision is None:
            click.echo("the ledger holds the shipped evidence already")
            return
        counts = ", ".join(f"{count} {kind}" for kind, count in revision.rows.items())
        click.echo(f"revision {revision.id}: {counts}")

    with ledger(Settings.from_env(os.environ)) as access:
        asyncio.run(run(access))


@click.command("score")
@click.argument("mineral")
@click.option("--buyer", required=True, metavar="CODE", help="A country (ISO 3166 alpha-3) or a bloc: USA, DEU, EU.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day the score is to speak of; today if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer of the HTTP interface.")
def score_command(mineral: str, buyer: str, as_of: datetime | None, as_json: bool) -> None:
    """Show how risky it is for a buyer to depend on MINERAL, and why.

    \b
    Example:
      chokepoint score cobalt --buyer USA --as-of 2026-02-05
    """
    with ledger(Settings.from_env(os.environ)) as access:
        world = asyncio.run(_read(access.read))
    told = _ask(world, mineral, buyer, as_of.date() if as_of else datetime.now(UTC).date())
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        _print(world, told)


async def _read(dsn: str) -> World:
    from service.store import reading
    from service.world.world import build

    async with connected(dsn) as connection:
        if not await connection.fetchval("select to_regclass('revision') is not null"):
            raise QuestionError("the database has no ledger yet; run `chokepoint seed` or `chokepoint serve` first")
        head = await reading.head(connection)
        if head is None:
            raise QuestionError("the ledger is empty; run `chokepoint seed` first")
        return build(await reading.evidence(connection, head))


def _ask(world: World, mineral: str, buyer: str, as_of: date) -> Score:
    from service.answers.score import Account
    from service.http.names import find_buyer, find_mineral
    from service.http.problems import Refusal

    try:
        return Account.of(world, find_buyer(world, buyer), as_of).score(find_mineral(world, mineral))
    except Refusal as refusal:
        raise QuestionError(str(refusal)) from None


def _print(world: World, told: Score) -> None:
    console = Console(highlight=False)
    name = world.minerals[told.mineral].name_en
    console.print(f"[bold]{name}[/] for {told.buyer} on {told.as_of}, from revision {told.known_at}")
    if told.score is None:
        console.print("[bold]no score[/]: not enough data")
        for reason in told.reasons:
            console.print(f"  {reason}")
    else:
        console.print(f"[bold]score {told.score}[/] ({told.band}), from {told.binding_stage}")
    for stage in told.stages:
        _print_stage(console, stage)
    if told.flags:
        from service.answers.score import FLAGS

        console.print("\nTo know before relying on it:")
        for flag in told.flags:
            console.print(f"  {flag}: {FLAGS[flag]}")


def _print_stage(console: Console, stage: StageScore) -> None:
    console.print()
    if stage.score is None:
        console.print(f"[bold]{stage.stage}[/]: no score; {'; '.join(stage.reasons)}")
        return
    console.print(
        f"[bold]{stage.stage}[/]: {stage.score} = 100 · √{stage.risk_concentration:.4f},"
        f" shares of {stage.period or 'an unstated year'} from {stage.sources[0]}"
    )
    table = Table("country", "share", "governance", "partner factor", "why", "contribution", box=None, pad_edge=False)
    for supplier in stage.suppliers:
        if supplier.share > 0:
            table.add_row(*_cells(supplier))
    console.print(table)


def _cells(supplier: Supplier) -> tuple[str, ...]:
    why = [supplier.tie, *filter(None, (supplier.agreement, supplier.restriction))]
    return (
        supplier.country,
        f"{supplier.share:.1%}",
        "no figure" if supplier.governance is None else f"{supplier.governance:.2f}",
        f"{supplier.partner_factor:.3f}",
        ", ".join(why),
        f"{supplier.contribution:.4f}",
    )
