"""The sheet of a day: the suppliers of every mineral's stages, laid out for the scoring core, whoever buys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from service.risk.model import Suppliers
from service.risk.numbers import Bools, Floats, Groups, Ints
from service.world.rows import Stage
from service.world.world import STAGES, World

if TYPE_CHECKING:
    from datetime import date

    from service.world.governance import Weights
    from service.world.shares import ShareSet

OLD_AFTER = 3
"""A reference year more than this many years before the day is flagged as old."""


@dataclass(frozen=True, eq=False)
class Place:
    """One stage of one mineral on the sheet, and the share set that speaks for it, if any does."""

    mineral: str
    stage: Stage
    shares: ShareSet | None
    rows: slice


@dataclass(frozen=True, eq=False)
class Sheet:
    """The suppliers of all minerals on a day: one place per stage known to exist, minerals in the World's order.

    `cells` are the [stage, mineral, country] indexes of the supplier rows, for looking up a buyer's position.
    """

    as_of: date
    places: tuple[Place, ...]
    places_of: dict[str, range]
    suppliers: Suppliers
    minerals: Groups
    governance: Weights
    cells: tuple[Ints, Ints, Ints]

    def flags(self, place: Place) -> list[str]:
        """What to know about the figures of a stage, beside what the core says of them."""
        if place.shares is None:
            return []
        if place.shares.reference_year is None:
            return ["undated_shares"]
        return ["old_reference_year"] if self.as_of.year - place.shares.reference_year > OLD_AFTER else []


def sheet_on(world: World, as_of: date) -> Sheet:
    """The sheet of a day."""
    return world.memo.get(("sheet", as_of), lambda: _lay_out(world, as_of))


def _lay_out(world: World, as_of: date) -> Sheet:
    places: list[Place] = []
    places_of: dict[str, range] = {}
    row = 0
    for mineral in world.minerals.values():
        begin = len(places)
        for stage in STAGES:
            if stage not in mineral.stages and (mineral.id, stage) not in world.share_sets:
                continue
            chosen = world.share_set(mineral.id, stage, as_of)
            rows = 0 if chosen is None else len(chosen.rows)
            places.append(Place(mineral.id, stage, chosen, slice(row, row + rows)))
            row += rows
        places_of[mineral.id] = range(begin, len(places))
    governance = world.governance.on(as_of)
    suppliers = _suppliers(places, governance)
    return Sheet(
        as_of=as_of,
        places=tuple(places),
        places_of=places_of,
        suppliers=suppliers,
        minerals=Groups.of_sizes([len(found) for found in places_of.values()]),
        governance=governance,
        cells=_cells(world, places, suppliers),
    )


def _suppliers(places: list[Place], governance: Weights) -> Suppliers:
    sets = [place.shares for place in places if place.shares is not None]
    countries: Ints = np.concatenate([s.countries for s in sets]) if sets else np.zeros(0, dtype=np.int64)
    share: Floats = np.concatenate([s.shares for s in sets]) if sets else np.zeros(0)
    known: Bools = np.concatenate([s.known for s in sets]) if sets else np.zeros(0, dtype=np.bool_)
    return Suppliers(
        stages=Groups.of_sizes([place.rows.stop - place.rows.start for place in places]),
        share=share,
        known=known,
        governance=governance.weight[countries],
        governed=governance.governed[countries],
        country=countries,
    )


def _cells(world: World, places: list[Place], suppliers: Suppliers) -> tuple[Ints, Ints, Ints]:
    sizes = suppliers.stages.sizes
    stage = np.repeat(np.array([STAGES.index(place.stage) for place in places], dtype=np.int64), sizes)
    mineral = np.repeat(np.array([world.mineral_index[place.mineral] for place in places], dtype=np.int64), sizes)
    return stage, mineral, suppliers.country
