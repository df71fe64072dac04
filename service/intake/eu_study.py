"""Reads the global supply shares of the EU study on critical raw materials 2023 (fact_GlobalSupplyShares_t.csv).

The file is Windows-1252 text with one line per material, stage and country; `t` is the study's trade parameter, which
belongs to its own method and is not evidence of output.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from service.intake.names import Names, UnknownName
from service.intake.problems import Problem
from service.intake.tables import Record, records
from service.world.rows import Share, Stage

ENCODING = "cp1252"
COLUMNS = ("Material", "Stage", "Country", "Share", "t")
STAGES: dict[str, Stage] = {"E": "extraction", "P": "processing"}
PERIOD = (2016, 2020)
"""The study's reference years; its shares are averages over them."""

REPEATED = "rare-earths"
"""The group whose members the study prints the group's shares for, one time each."""

_PERCENT = re.compile(r"(<?)(\d+(?:\.\d+)?)%")


def read(lines: Iterable[str], names: Names, source: str = "eu-crm-2023") -> Iterator[Share | Problem]:
    """Shares 0..1 as printed in percent; "<0.1%" counts as half of that, the study's own convention."""
    for record in records(lines, COLUMNS):
        if isinstance(record, Problem):
            yield record
        else:
            yield _share(record, names, source)


def _share(record: Record, names: Names, source: str) -> Share | Problem:
    line, fields = record
    stage = STAGES.get(fields["Stage"])
    if stage is None:
        return Problem(line, "Stage", fields["Stage"], "E or P")
    printed = fields["Share"].strip()
    match = _PERCENT.fullmatch(printed)
    if match is None or float(match[2]) > 100:
        return Problem(line, "Share", printed, "a share of 0% to 100% such as 12.5% or <0.1%")
    column = "Material"
    try:
        mineral = names.mineral(fields[column])
        column = "Country"
        country = names.country(fields[column])
    except UnknownName as unknown:
        return Problem(line, column, fields[column], str(unknown))
    below = match[1] == "<"
    return Share(
        source=source,
        mineral=mineral,
        stage=stage,
        period_start=PERIOD[0],
        period_end=PERIOD[1],
        country=country,
        share=round(float(match[2]) / 100 * (0.5 if below else 1), 6),
        printed=printed,
        basis="average share of world supply",
        qualifier="below" if below else "",
        locator=f"{fields['Material']} {fields['Stage']}, line {line}",
        note="group share repeated for each member" if mineral in names.members(REPEATED) else "",
    )
