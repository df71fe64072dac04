"""Reads the share annexes of the EU study on critical raw materials 2023, as published.

`fact_GlobalSupplyShares_t.csv` has the shares of world supply and `fact_EUSupplyShares_t.csv` those of the EU's own
sourcing, both with one line per material, stage and country in Windows-1252. Beside each share stands the study's trade
parameter t, an input of its method; the annexes disagree about it in three places, so each has its own: `t_gs`, `t_eu`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from service.intake.names import Names, UnknownName
from service.intake.problems import Problem
from service.intake.tables import SHOWN, Record, records
from service.world.rows import Parameter, Share, Sourcing, Stage

ENCODING = "cp1252"
COLUMNS = ("Material", "Stage", "Country", "Share", "t")
STAGES: dict[str, Stage] = {"E": "extraction", "P": "processing"}
PERIOD = (2016, 2020)
"""The study's reference years; its shares are averages over them."""
LIST_YEAR = 2023
"""The year of the list the study was made for."""
GLOBAL, SOURCING = "fact_GlobalSupplyShares_t.csv", "fact_EUSupplyShares_t.csv"
"""The annexes' names, for locators."""

REPEATED = "rare-earths"
"""The group whose members the study prints the group's shares for, one time each."""

SLIPS = {("Silicon metal", "P", "Germany", "6"): "6%"}
"""What the sourcing annex prints without its percent sign. Any other bare number is refused: it may be a fraction."""

SMALLEST_T, LARGEST_T = 0.8, 1.5
"""The range of t by the study's method: members of the EU to the strictest restriction."""
# fmt: off
MEMBERS = frozenset((
    "AUT", "BEL", "BGR", "CYP", "CZE", "DEU", "DNK", "ESP", "EST", "FIN", "FRA", "GRC", "HRV", "HUN",
    "IRL", "ITA", "LTU", "LUX", "LVA", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "SWE",
))
# fmt: on
"""The EU of the study: by rule 0.8 is its members' t and 1 everybody else's; only another t is evidence."""

_PERCENT = re.compile(r"(<?)(\d+(?:\.\d+)?)%")
_NUMBER = re.compile(r"\d(?:\.\d+)?")


class Cell(NamedTuple):
    """A line understood: what its share and its trade parameter speak of."""

    line: int
    label: str
    mineral: str
    stage: Stage
    country: str
    share: float
    printed: str
    qualifier: Literal["", "below"]
    slip: bool
    t: float
    t_printed: str

    @property
    def locator(self) -> str:
        """Where it stands: the material as the study names it, the stage's letter and the line."""
        return f"{self.label} {self.stage[0].upper()}, line {self.line}"


def read(lines: Iterable[str], names: Names, source: str = "eu-crm-2023") -> Iterator[Share | Problem]:
    """Shares 0..1 as printed in percent; "<0.1%" counts as half of that, the study's own convention."""
    for cell in _cells(lines, names):
        yield cell if isinstance(cell, Problem) else _share(cell, names, source)


def supply(lines: Iterable[str], names: Names, source: str) -> Iterator[Share | Parameter | Problem]:
    """The global annex: shares of world supply, and t where it is not the rule."""
    for cell in _cells(lines, names):
        if isinstance(cell, Problem):
            yield cell
            continue
        yield _share(cell, names, source)
        if not _is_rule(cell):
            yield _parameter(cell, "t_gs", GLOBAL, source)


def sourcing(lines: Iterable[str], names: Names, source: str) -> Iterator[Sourcing | Parameter | Problem]:
    """The sourcing annex: shares of the EU's supply, its own output included, and t where it is not the rule."""
    for cell in _cells(lines, names):
        if isinstance(cell, Problem):
            yield cell
            continue
        yield _sourcing(cell, source)
        if not _is_rule(cell):
            yield _parameter(cell, "t_eu", SOURCING, source)


def _is_rule(cell: Cell) -> bool:
    return cell.t == (SMALLEST_T if cell.country in MEMBERS else 1)


def _cells(lines: Iterable[str], names: Names) -> Iterator[Cell | Problem]:
    for record in records(lines, COLUMNS):
        yield record if isinstance(record, Problem) else _cell(record, names)


def _cell(record: Record, names: Names) -> Cell | Problem:
    line, fields = record
    stage = STAGES.get(fields["Stage"])
    if stage is None:
        return Problem(line, "Stage", fields["Stage"][:SHOWN], "E or P")
    printed, t = fields["Share"].strip(), fields["t"].strip()
    meant = SLIPS.get((fields["Material"], fields["Stage"], fields["Country"], printed), printed)
    match = _PERCENT.fullmatch(meant)
    if match is None or float(match[2]) > 100:
        return Problem(line, "Share", printed[:SHOWN], "a share of 0% to 100% such as 12.5% or <0.1%")
    if not _NUMBER.fullmatch(t) or not SMALLEST_T <= float(t) <= LARGEST_T:
        return Problem(line, "t", t[:SHOWN], f"a trade parameter from {SMALLEST_T} to {LARGEST_T}")
    column = "Material"
    try:
        mineral = names.mineral(fields[column])
        column = "Country"
        country = names.country(fields[column])
    except UnknownName as unknown:
        return Problem(line, column, fields[column][:SHOWN], str(unknown))
    below = match[1] == "<"
    return Cell(
        line=line,
        label=fields["Material"],
        mineral=mineral,
        stage=stage,
        country=country,
        share=round(float(match[2]) / 100 * (0.5 if below else 1), 6),
        printed=printed,
        qualifier="below" if below else "",
        slip=meant != printed,
        t=float(t),
        t_printed=t,
    )


def _share(cell: Cell, names: Names, source: str) -> Share:
    return Share(
        source=source,
        mineral=cell.mineral,
        stage=cell.stage,
        period_start=PERIOD[0],
        period_end=PERIOD[1],
        country=cell.country,
        share=cell.share,
        printed=cell.printed,
        basis="average share of world supply",
        qualifier=cell.qualifier,
        locator=cell.locator,
        note="group share repeated for each member" if cell.mineral in names.members(REPEATED) else "",
    )


def _sourcing(cell: Cell, source: str) -> Sourcing:
    return Sourcing(
        source=source,
        buyer="EU",
        mineral=cell.mineral,
        stage=cell.stage,
        of="supply",
        period_start=PERIOD[0],
        period_end=PERIOD[1],
        country=cell.country,
        share=cell.share,
        printed=cell.printed,
        basis="average share of EU sourcing",
        qualifier=cell.qualifier,
        locator=f"{SOURCING}, {cell.locator}",
        note="printed without a unit, read as percent" if cell.slip else "",
    )


def _parameter(cell: Cell, name: str, annex: str, source: str) -> Parameter:
    return Parameter(
        source=source,
        name=name,
        year=LIST_YEAR,
        label=cell.label,
        mineral=cell.mineral,
        stage=cell.stage,
        country=cell.country,
        value=cell.t,
        printed=cell.t_printed,
        locator=f"{annex}, {cell.locator}",
    )
