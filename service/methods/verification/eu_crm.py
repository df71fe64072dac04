"""`eu-crm` against the studies' own tables: every line of their components, and how many materials the list rule gives.

A line's published supply risk is a parameter of the ledger; where the table's cell is empty it stays unknown here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from service.methods.eu_studies import BUYER, StudyRow, studies, study_rows
from service.methods.verification.case import Case, Key, judged
from service.risk.methods.eu_crm import (
    ECONOMIC_IMPORTANCE_THRESHOLD,
    ID,
    SUPPLY_RISK_THRESHOLD,
    Rounding,
    is_critical,
    of_group,
    of_stages,
    one_decimal,
    rounding_range,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from service.world.world import World

PRINTED_COMPONENTS = 2017
"""The list whose study prints concentrations; the others follow from shares, whose rounding hardly matters."""

SAME = 1e-9

LIST_RULE: Mapping[int, int] = {2017: 26, 2020: 30, 2023: 32}
"""How many materials the rule gives by the published values: copper and nickel joined the list of 2023 as strategic."""


def cases(world: World) -> Iterator[Case]:
    """Every line of every study, newest list first."""
    for study in studies(world):
        yield from (_case(row) for row in study_rows(world, study))


def _case(row: StudyRow) -> Case:
    bounds = None
    if row.study.vintage == PRINTED_COMPONENTS and row.components is not None:
        rounding = Rounding()
        low, high = rounding_range(row.components, rounding)
        bounds = low - rounding.supply_risk, high + rounding.supply_risk
    return judged(
        Key(ID, row.study.vintage, row.label, row.stage, BUYER),
        row.published,
        row.value,
        _agrees_for_groups if row.members else _agrees,
        missing="; ".join(row.missing),
        group=bool(row.members),
        bounds=bounds,
    )


def _agrees(published: float, computed: float) -> bool:
    """Whether a supply risk is the published one at its one decimal."""
    return abs(one_decimal(computed) - published) < SAME


def _agrees_for_groups(published: float, computed: float) -> bool:
    """Whether a group's supply risk is the published one at its two decimals."""
    return abs(round(computed, 2) - published) < SAME


@dataclass(frozen=True)
class Tally:
    """How a list's rows stand: over the lines with a published value, groups left out."""

    vintage: int
    rows: int
    published: int
    exact: int
    within_tenth: int
    within_two_tenths: int
    same_side: int
    """On the same side of the threshold of 1.0 as published, both rounded to one decimal."""
    within_rounding: int
    """Consistent with the published value within the rounding of the printed inputs, exact ones included."""
    predicted: int
    not_computable: int


def tally(found: list[Case], vintage: int) -> Tally:
    """Counts of one list's rows."""
    rows = [case for case in found if case.key.vintage == vintage and not case.group]
    pairs = [(c.published, c.computed) for c in rows if c.published is not None and c.computed is not None]
    apart = [abs(round((one_decimal(computed) - published) * 10)) for published, computed in pairs]
    return Tally(
        vintage=vintage,
        rows=len(rows),
        published=sum(case.published is not None for case in rows),
        exact=sum(each == 0 for each in apart),
        within_tenth=sum(each <= 1 for each in apart),
        within_two_tenths=sum(each <= 2 for each in apart),
        same_side=sum((one_decimal(c) >= SUPPLY_RISK_THRESHOLD) == (p >= SUPPLY_RISK_THRESHOLD) for p, c in pairs),
        within_rounding=sum(case.verdict in ("exact", "within_rounding") for case in rows),
        predicted=sum(case.verdict == "predicted" for case in rows),
        not_computable=sum(case.verdict == "not_computable" for case in rows),
    )


@dataclass(frozen=True)
class ListRule:
    """What the list rule gives for a list: minerals that are critical by it, and those the rounding leaves open.

    The supply risk is the published one where it is known and ours where not; `open` are minerals of our own supply
    risk that would change sides within the rounding of the printed inputs.
    """

    year: int
    published: int
    critical: tuple[str, ...]
    open: tuple[str, ...]


def list_rules(world: World) -> tuple[ListRule, ...]:
    """The rule on every list that the ledger has ratings of."""
    return tuple(_list_rule(world, year) for year in sorted(LIST_RULE))


def _list_rule(world: World, year: int) -> ListRule:
    ours = _supply_risks(world, year)
    critical, left_open = [], []
    for mineral in world.minerals:
        rated = {row.measure: row.value for row in world.studies.ratings.get(mineral, ()) if row.year == year}
        importance, risk = rated.get("economic_importance"), rated.get("supply_risk")
        if importance is None:
            continue
        if risk is not None:
            critical += [mineral] if is_critical(risk, importance) else []
        elif mineral in ours:
            low, point, high = ours[mineral]
            critical += [mineral] if is_critical(point, importance) else []
            if one_decimal(importance) >= ECONOMIC_IMPORTANCE_THRESHOLD:
                sides = {one_decimal(end) >= SUPPLY_RISK_THRESHOLD for end in (low, high)}
                left_open += [mineral] if len(sides) > 1 else []
    return ListRule(year, LIST_RULE[year], tuple(critical), tuple(left_open))


def _supply_risks(world: World, year: int) -> dict[str, tuple[float, float, float]]:
    """Our supply risk of every mineral of a list: the least, the point and the most, groups from their members."""
    rows = [row for study in studies(world) if study.vintage == year for row in study_rows(world, study)]
    stages: dict[str, list[tuple[float, float, float]]] = {}
    for row in rows:
        if row.components is not None and row.value is not None:
            low, high = rounding_range(row.components) if year == PRINTED_COMPONENTS else (row.value, row.value)
            stages.setdefault(row.mineral, []).append((low, row.value, high))
    found = {mineral: _each(of_stages, values) for mineral, values in stages.items()}
    for group in world.minerals.values():
        if group.members and group.id not in found and all(member in found for member in group.members):
            found[group.id] = _each(of_group, [found[member] for member in group.members])
    return found


def _each(
    fold: Callable[[Sequence[float]], float], values: Sequence[tuple[float, float, float]]
) -> tuple[float, float, float]:
    low, point, high = zip(*values, strict=True)
    return fold(low), fold(point), fold(high)
