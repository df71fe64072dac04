"""The sheet of a day: the suppliers of every mineral's stages, laid out for the scoring core, whoever buys."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from service.risk.methods import partner_adjusted
from service.risk.model import Suppliers
from service.risk.numbers import Floats, Groups, Ints, joined
from service.risk.uncertainty import Doubt, Sample, sample
from service.world.doubt import share_sd
from service.world.memo import Memo
from service.world.rows import Stage
from service.world.world import STAGES, World

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from service.world.governance import Weights
    from service.world.shares import ShareSet

Cells = tuple[Ints, Ints, Ints]
"""Supplier rows as the places of their stage, mineral and country."""

MOST_REACHED = 1024
"""Of so many agreements and restrictions, as they reach buyers, it is kept which rows they reach; some 1 KB each."""

Chosen = tuple["ShareSet | None", Floats]
"""The set that speaks for a stage, and how well each of its shares is known."""

OLD_AFTER = 3
"""A reference year more than this many years before the day is flagged as old."""

SEED = zlib.crc32(f"{partner_adjusted.ID} {partner_adjusted.VERSION}".encode())
"""The seed of the draws: of the method, so that an interval moves with its own figures and not with every revision."""


@dataclass(frozen=True, eq=False)
class Place:
    """One stage of one mineral on the sheet, and the share set that speaks for it, if any does."""

    mineral: str
    stage: Stage
    shares: ShareSet | None
    rows: slice

    def moved(self, by: int) -> Place:
        """The same place on a sheet on which it stands so many rows later."""
        return replace(self, rows=slice(self.rows.start + by, self.rows.stop + by))

    def flags(self, as_of: date) -> list[str]:
        """What to know about the figures of a stage on a day, beside what the core says of them."""
        if self.shares is None:
            return []
        if self.shares.reference_year is None:
            return ["undated_shares"]
        return ["old_reference_year"] if as_of.year - self.shares.reference_year > OLD_AFTER else []


@dataclass(frozen=True, eq=False)
class Sheet:
    """The suppliers of all minerals on a day: one place per stage known to exist, minerals in the World's order.

    `cells` are the [stage, mineral, country] indexes of the supplier rows, for looking up a buyer's position. All days
    on which the same figures speak share it; `on` is one of them.
    """

    on: date
    places: tuple[Place, ...]
    places_of: dict[str, range]
    suppliers: Suppliers
    minerals: Groups
    governance: Weights
    cells: Cells
    doubt: Doubt
    memo: Memo = field(default_factory=Memo, repr=False)
    reached: Memo = field(default_factory=lambda: Memo(MOST_REACHED), repr=False)
    """Which rows some stages, minerals and countries are, as agreements and restrictions name them."""

    def only(self, mineral: str) -> Sheet:
        """The sheet of one mineral alone, drawn as it is among all."""
        return self.memo.get(mineral, lambda: self._only(mineral))

    def _only(self, mineral: str) -> Sheet:
        stages = self.places_of[mineral]
        rows = self.rows_of(mineral)
        stage, place, country = self.cells
        sheet = Sheet(
            on=self.on,
            places=tuple(self.places[at].moved(-rows.start) for at in stages),
            places_of={mineral: range(len(stages))},
            suppliers=self.suppliers.only(stages),
            minerals=Groups.of_sizes([len(stages)]),
            governance=self.governance,
            cells=(stage[rows].copy(), place[rows].copy(), country[rows].copy()),
            doubt=self.doubt.only(rows, stages),
        )
        if "sample" in vars(self):
            vars(sheet)["sample"] = self.sample.only(rows, stages, sheet.suppliers)
        return sheet

    def rows_of(self, mineral: str) -> slice:
        """Where the supplier rows of a mineral stand."""
        return self.suppliers.stages.rows(self.places_of[mineral])

    def governed(self, mineral: str) -> bytes:
        """The governance of a mineral's suppliers: the same where all its numbers are."""
        rows = self.rows_of(mineral)
        columns = (self.suppliers.governance, self.suppliers.governed, self.doubt.governance_sd)
        return b"".join(column[rows].tobytes() for column in columns)

    def beside(self, governance: Weights) -> Sheet:
        """This sheet with weights that are the same for its suppliers, whatever they are for others."""
        same = replace(self, governance=governance)
        if "sample" in vars(self):
            vars(same)["sample"] = self.sample
        return same

    @cached_property
    def printed(self) -> list[list[int]]:
        """Of each place the supplier rows that have a share."""
        share = self.suppliers.share.tolist()
        return [[row for row in range(place.rows.start, place.rows.stop) if share[row]] for place in self.places]

    @cached_property
    def order(self) -> dict[str, int]:
        """The place of each mineral among all."""
        return {mineral: place for place, mineral in enumerate(self.places_of)}

    @cached_property
    def sample(self) -> Sample:
        """The draws behind every interval on this sheet, the same for all buyers."""
        return sample(self.suppliers, self.doubt, SEED)

    def draw_after(self, before: Sheet) -> None:
        """Draws now, and takes over from another sheet the draws of figures that are the same there."""
        vars(self)["sample"] = sample(self.suppliers, self.doubt, SEED, before=before.sample)


def sheet_on(world: World, as_of: date) -> Sheet:
    """The sheet of a day; days on which the same figures speak share one."""
    return world.memo.get(("sheet", world.period(as_of)), lambda: _lay_out(world, as_of))


def share_sheet(owner: World, world: World, as_of: date) -> None:
    """Lets a World use the sheet of another that has the same figures, and with it the draws."""
    world.memo.get(("sheet", world.period(as_of)), lambda: sheet_on(owner, as_of))


def lay_out_after(before: Sheet, base: World, world: World) -> Sheet:
    """The sheet of the same day in a World that followed on `base`: what is chosen from the same sets is the same."""
    chosen = {
        (place.mineral, place.stage): (place.shares, before.doubt.share_sd[place.rows])
        for place in before.places
        if world.share_sets.get((place.mineral, place.stage)) is base.share_sets.get((place.mineral, place.stage))
    }
    return _lay_out(world, before.on, chosen)


def _lay_out(world: World, as_of: date, chosen: Mapping[tuple[str, Stage], Chosen] = MappingProxyType({})) -> Sheet:
    places: list[Place] = []
    places_of: dict[str, range] = {}
    doubts: list[Floats] = []
    row = 0
    for mineral in world.minerals.values():
        begin = len(places)
        for stage in STAGES:
            if stage not in mineral.stages and (mineral.id, stage) not in world.share_sets:
                continue
            shares, doubt = chosen.get((mineral.id, stage)) or _choose(world, mineral.id, stage, as_of)
            places.append(Place(mineral.id, stage, shares, slice(row, row + len(doubt))))
            doubts.append(doubt)
            row += len(doubt)
        places_of[mineral.id] = range(begin, len(places))
    governance = world.governance.on(as_of)
    sets = [place.shares for place in places if place.shares is not None]
    countries = joined([found.countries for found in sets], np.int64)
    suppliers = _suppliers(world, places, sets, governance, countries)
    return Sheet(
        on=as_of,
        places=tuple(places),
        places_of=places_of,
        suppliers=suppliers,
        minerals=Groups.of_sizes([len(found) for found in places_of.values()]),
        governance=governance,
        cells=_cells(world, places, suppliers, countries),
        doubt=Doubt(
            share_sd=joined(doubts, np.float64),
            governance_sd=governance.sd[countries],
            stage=np.array([zlib.crc32(f"{p.mineral} {p.stage}".encode()) for p in places], dtype=np.int64),
        ),
    )


def _choose(world: World, mineral: str, stage: Stage, as_of: date) -> Chosen:
    shares = world.share_set(mineral, stage, as_of)
    return shares, np.empty(0) if shares is None else share_sd(world, shares, as_of)


def _suppliers(
    world: World, places: list[Place], sets: list[ShareSet], governance: Weights, countries: Ints
) -> Suppliers:
    return Suppliers(
        stages=Groups.of_sizes([place.rows.stop - place.rows.start for place in places]),
        share=joined([s.shares for s in sets], np.float64),
        known=joined([s.known for s in sets], np.bool_),
        governance=governance.weight[countries],
        governed=governance.governed[countries],
        country=world.country_numbers[countries],
    )


def _cells(world: World, places: list[Place], suppliers: Suppliers, countries: Ints) -> Cells:
    sizes = suppliers.stages.sizes
    stage = np.repeat(np.array([STAGES.index(place.stage) for place in places], dtype=np.int64), sizes)
    mineral = np.repeat(np.array([world.mineral_index[place.mineral] for place in places], dtype=np.int64), sizes)
    return stage, mineral, countries
