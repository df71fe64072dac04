"""Reads mining and refining by country from the table of the IEA's Global Critical Minerals Outlook, in long form.

One line per mineral, stage, country and year, with the amount and the world total in kilotonnes. Only observed years
are evidence; the projections of the same table are passed over, and so is the rest of the world, which the published
rows of nickel and graphite count one country twice in.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from service.intake.names import Names, UnknownName, fold
from service.intake.problems import Problem, Skipped
from service.intake.tables import SHOWN, Record, amount, records
from service.world.rows import Share, Stage

ENCODING = "utf-8-sig"
COLUMNS = ("mineral", "stage", "country", "year", "kind", "value_kt", "total_kt")
STAGES: dict[str, Stage] = {"mining": "extraction", "refining": "processing"}
BASES: dict[Stage, str] = {"extraction": "mined output", "processing": "refined output"}
MINERALS = {"graphite": "natural-graphite", "rare earth elements": "magnet-rare-earths"}
"""What the outlook means by two of its names: anode graphite and its ore, and the four rare earths of magnets."""

OBSERVED, PROJECTED = "observed", "projection"
"""How the kinds of lines begin: `observed_base_year`, `projection_base_case`."""


def read(lines: Iterable[str], names: Names, source: str) -> Iterator[Share | Problem | Skipped]:
    """Shares 0..1 = amount / world total, rounded to six decimals."""
    for record in records(lines, COLUMNS):
        if isinstance(record, Problem):
            yield record
        elif record.fields["kind"].startswith(PROJECTED):
            yield Skipped(record.line, "projections are no evidence")
        elif fold(record.fields["country"]) == "rest of world":
            yield Skipped(record.line, "the rest of the world is no country")
        else:
            yield _share(record, names, source)


def _share(record: Record, names: Names, source: str) -> Share | Problem:
    line, fields = record
    stage = STAGES.get(fields["stage"])
    if not fields["kind"].startswith(OBSERVED):
        return Problem(line, "kind", fields["kind"][:SHOWN], f"{OBSERVED}… or {PROJECTED}…")
    if stage is None:
        return Problem(line, "stage", fields["stage"][:SHOWN], f"one of {', '.join(STAGES)}")
    if not fields["year"].isdecimal() or not 1900 <= int(fields["year"]) <= 2100:
        return Problem(line, "year", fields["year"][:SHOWN], "a year")
    column = "mineral"
    try:
        mineral = names.mineral(MINERALS.get(fold(fields[column]), fields[column]))
        column = "country"
        country = names.country(fields[column])
    except UnknownName as unknown:
        return Problem(line, column, fields[column][:SHOWN], str(unknown))
    quantity, total = amount(fields["value_kt"]), amount(fields["total_kt"])
    if not total:
        return Problem(line, "total_kt", fields["total_kt"][:SHOWN], "a world total above 0")
    if quantity is None or quantity > total:
        return Problem(line, "value_kt", fields["value_kt"][:SHOWN], "an amount from 0 to the world total")
    year = int(fields["year"])
    return Share(
        source=source,
        mineral=mineral,
        stage=stage,
        period_start=year,
        period_end=year,
        country=country,
        share=round(quantity / total, 6),
        printed=fields["value_kt"],
        quantity=quantity,
        total=total,
        unit="kt",
        basis=BASES[stage],
        locator=f"{fields['stage']} by country, {fields['mineral']}, {year}, line {line}",
    )
