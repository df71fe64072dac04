"""What the figures of the USGS world tables speak of: which mineral and stage, how much, and of which country.

Which statistic speaks of which mineral and stage is decided in maps/usgs_statistics.csv, and of which reserves in
maps/usgs_reserves.csv: files for a domain expert to review. Capacities are not shares and are passed over.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple, cast

from service.intake.names import Names, UnknownName, closest, fold
from service.intake.problems import Problem
from service.intake.tables import SHOWN
from service.intake.usgs_layouts import Amount, Figure, Kind, amount
from service.world.rows import Stage

_ROUNDED = re.compile(r"[:,] rounded$")
_IN_BRACKETS = re.compile(r"\s*\([^)]*\)$")


class Meaning(NamedTuple):
    """What a statistic speaks of; `stage` is None for reserves, `unit` overrules a unit the file prints wrongly."""

    mineral: str
    stage: Stage | None
    basis: str
    unit: str


Meanings = Mapping[tuple[Kind, str, str], tuple[Meaning, ...]]
"""Meanings by kind, folded commodity and folded statistic; no meanings for a statistic that is not used."""


class Reading(NamedTuple):
    """A figure understood; `country` is None for the world total."""

    figure: Figure
    meanings: tuple[Meaning, ...]
    amount: Amount
    country: str | None

    @property
    def minerals(self) -> tuple[str, ...]:
        """The minerals it speaks of."""
        return tuple(meaning.mineral for meaning in self.meanings)


@cache
def reviewed_meanings() -> Meanings:
    """The meanings of every statistic of both editions, as the maps have them."""
    meanings: dict[tuple[Kind, str, str], tuple[Meaning, ...]] = {}
    maps: tuple[tuple[Kind, str], ...] = (("production", "usgs_statistics.csv"), ("reserves", "usgs_reserves.csv"))
    for kind, name in maps:
        with (Path(__file__).parent / "maps" / name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = (kind, fold(row["commodity"]), fold(row["statistic"]))
                stage = cast("Stage | None", row.get("stage") or None)
                used = (Meaning(row["mineral"], stage, row["basis"], row["unit"]),) if row["mineral"] else ()
                meanings[key] = meanings.get(key, ()) + used
    return meanings


def readings(printed: Iterable[Figure | Problem], names: Names, meanings: Meanings) -> Iterator[Reading | Problem]:
    """The figures that are used, understood. A blank cell says nothing, and "other countries" nothing of any."""
    for figure in printed:
        if isinstance(figure, Problem):
            yield figure
            continue
        meant = _meanings_of(figure, names, meanings)
        if meant is None:
            yield _unknown_statistic(figure, meanings)
        elif meant and figure.printed and not fold(figure.country).startswith("other countries"):
            yield _reading(figure, meant, names)


def _meanings_of(figure: Figure, names: Names, meanings: Meanings) -> tuple[Meaning, ...] | None:
    """What a figure speaks of: nothing where it is not used, None where nobody has said.

    A commodity that a correction says is some mineral goes by the known commodity that the statistic has of it.
    """
    statistic = fold(_ROUNDED.sub("", figure.statistic))
    for commodity in (fold(figure.commodity), *_corrected(figure, statistic, names, meanings)):
        found = meanings.get((figure.kind, commodity, statistic), meanings.get((figure.kind, commodity, "")))
        if found is not None:
            return found
    return None


def _corrected(figure: Figure, statistic: str, names: Names, meanings: Meanings) -> Iterator[str]:
    mineral = names.corrected(figure.commodity)
    if mineral != figure.commodity:
        for (_, commodity, name), used in meanings.items():
            if name == statistic and any(meaning.mineral == mineral for meaning in used):
                yield commodity


def _unknown_statistic(figure: Figure, meanings: Meanings) -> Problem:
    """A new edition's new table: it has to be given a meaning, or be said to have none, before it is read."""
    commodity = fold(figure.commodity)
    statistics = [statistic for kind, of, statistic in meanings if (kind, of) == (figure.kind, commodity)]
    nearest = closest(figure.statistic, statistics) if statistics else closest(commodity, {of for _, of, _ in meanings})
    value = f"{figure.commodity}: {figure.statistic}"[:SHOWN]
    return Problem(figure.line, figure.column, value, f"a {figure.kind} statistic that has a meaning; {nearest}")


def _reading(figure: Figure, meanings: tuple[Meaning, ...], names: Names) -> Reading | Problem:
    try:
        read_as = amount(figure.printed)
    except ValueError:
        return Problem(figure.line, figure.column, figure.printed[:SHOWN], "an amount: 1,200 or >50 or W, NA, s, —")
    if fold(figure.country).startswith("world total"):
        return Reading(figure, meanings, read_as, None)
    try:
        return Reading(figure, meanings, read_as, _country(figure.country, names))
    except UnknownName as unknown:
        return Problem(figure.line, "Country", figure.country[:SHOWN], str(unknown))


def _country(printed: str, names: Names) -> str:
    """The country of a printed name, which may say in brackets what was counted: "Brazil (beneficiated)"."""
    try:
        return names.country(printed)
    except UnknownName:
        return names.country(_IN_BRACKETS.sub("", printed))
