"""Scoring with the buyer's own supply beside the world's, where the ledger knows where it buys and how far it relies
on imports; the world's supply alone elsewhere."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from service.risk.intervals import LEVEL, Intervals, Parts, intervals, parts
from service.risk.methods.partner_adjusted import score_minerals, score_stages
from service.risk.model import Suppliers
from service.risk.numbers import Groups, joined
from service.risk.partners import LADDER, Ladder
from service.risk.sourcing import OwnSupply, own_part, with_own_supply
from service.risk.uncertainty import SHARE_SD, Doubt
from service.world.position import Position, Positions
from service.world.scoring import Scored, score_all, terms_of
from service.world.sheet import SEED, Cells, Sheet
from service.world.studies import printed_as
from service.world.world import STAGES

if TYPE_CHECKING:
    from datetime import date

    from service.risk.numbers import Bools, Floats, Ints
    from service.world.governance import Weights
    from service.world.rows import Reliance
    from service.world.studies import Mix
    from service.world.world import World


@dataclass(frozen=True, eq=False)
class Own:
    """The buyer's own supply of one stage: the mix and the reliance it follows from, and its supplier rows.

    `countries`, `share` and `known` are those of supply, also where the source prints imports alone.
    """

    mix: Mix
    reliance: Reliance
    countries: Ints
    share: Floats
    known: Bools
    rows: slice

    def moved(self, by: int) -> Own:
        """The same supply where it stands so many rows later."""
        return replace(self, rows=slice(self.rows.start + by, self.rows.stop + by))

    @property
    def import_reliance(self) -> float:
        """The reliance as a fraction."""
        return self.reliance.reliance or 0.0


@dataclass(frozen=True, eq=False, kw_only=True)
class Sourced(Scored):
    """Scores in which the buyer's own supply counts: `own` has one entry per place of the sheet, None without one.

    An entry does not count where its named and governed part is too small: `supply.part` is 0 there.
    """

    own: tuple[Own | None, ...]
    supply: OwnSupply
    own_position: Position

    def only(self, mineral: str) -> Sourced:
        """One mineral's score alone; no two buyers have the same supply of their own."""
        return self.memo.get(("only", mineral), lambda: self._only(mineral))

    def _only(self, mineral: str) -> Sourced:
        stages = self.sheet.places_of[mineral]
        sheet, rows = self.sheet.only(mineral), self.supply.scores.suppliers.stages.rows(stages)
        place, stand = self.sheet.order[mineral], self.stand.only(self.sheet.rows_of(mineral))
        return Sourced(
            sheet=sheet,
            stand=stand,
            scores=self.scores.only(place, sheet.suppliers, sheet.minerals, stand.terms),
            own=tuple(found and found.moved(-rows.start) for found in self.own[stages.start : stages.stop]),
            supply=self.supply.only(stages),
            own_position=self.own_position.only(rows),
        )

    def intervals(self, level: float = LEVEL) -> Intervals:
        """The interval of every stage and mineral, holding `level` of the draws."""
        return self.memo.get(
            ("intervals", level), lambda: intervals(self.scores, self.sheet.sample, level, self.supply)
        )

    def parts(self, level: float = LEVEL) -> Parts:
        """The intervals, with what doubt about the figures and about the ladder contribute to them, each alone."""
        return self.memo.get(("parts", level), lambda: parts(self.scores, self.sheet.sample, level, self.supply))


def score_sourced(world: World, buyer: str, as_of: date, ladder: Ladder = LADDER) -> Sourced:
    """Scores every mineral for a country or bloc on a day, with its own supply where the ledger knows it."""
    key = ("sourced", buyer, world.period(as_of), world.epoch(as_of), ladder)
    return world.memo.get(key, lambda: _score_sourced(world, buyer, as_of, ladder))


def _score_sourced(world: World, buyer: str, as_of: date, ladder: Ladder) -> Sourced:
    plain = score_all(world, buyer, as_of, ladder)
    sheet = plain.sheet
    own = _own(world, sheet, buyer, as_of)
    countries = joined([found.countries for found in own if found], np.int64)
    cells = _cells(world, sheet, own, countries)
    position = Positions(world, as_of, ladder, cells).of(buyer)
    suppliers = _suppliers(world, sheet.governance, own, countries)
    scores = score_stages(suppliers, terms_of(world, position), ladder)
    reliance = np.array([found.import_reliance if found else 0.0 for found in own])
    counts = np.array([found is not None for found in own], dtype=np.bool_) & scores.sufficient
    supply = OwnSupply(
        scores=scores,
        doubt=_doubt(sheet, own, countries),
        seed=SEED,
        part=np.where(counts, own_part(reliance), 0.0),
    )
    stages = with_own_supply(plain.scores.stages, supply)
    return Sourced(
        sheet=sheet,
        stand=plain.stand,
        scores=score_minerals(stages, sheet.minerals),
        own=own,
        supply=supply,
        own_position=position,
    )


def _own(world: World, sheet: Sheet, buyer: str, as_of: date) -> tuple[Own | None, ...]:
    found: list[Own | None] = []
    row = 0
    for place in sheet.places:
        own = _own_of(world, buyer, place.mineral, place.stage, as_of, row)
        row = own.rows.stop if own else row
        found.append(own)
    return tuple(found)


def _own_of(world: World, buyer: str, mineral: str, stage: str, as_of: date, row: int) -> Own | None:
    named = list(printed_as(world.minerals, mineral, stage))
    mixes = (world.studies.mix_of((buyer, name, stage), as_of) for name in named)
    reliances = (world.studies.reliance_of((buyer, name, stage), as_of) for name in named)
    mix = next((each for each in mixes if each), None)
    reliance = next((each for each in reliances if each), None)
    if mix is None or reliance is None:
        return None
    countries, share, known = mix.countries, mix.shares, mix.known
    if mix.of_imports:
        home = world.country_index.get(buyer)
        if home is None:  # imports of a bloc leave open which of its members supplies the rest
            return None
        countries = np.append(countries, home)
        part = reliance.reliance or 0.0
        share, known = np.append(share * part, 1 - part), np.append(known, True)
    return Own(mix, reliance, countries, share, known, slice(row, row + len(countries)))


def _cells(world: World, sheet: Sheet, own: tuple[Own | None, ...], countries: Ints) -> Cells:
    sizes = [len(found.countries) if found else 0 for found in own]
    stage = np.array([STAGES.index(place.stage) for place in sheet.places], dtype=np.int64)
    mineral = np.array([world.mineral_index[place.mineral] for place in sheet.places], dtype=np.int64)
    return np.repeat(stage, sizes), np.repeat(mineral, sizes), countries


def _suppliers(world: World, governance: Weights, own: tuple[Own | None, ...], countries: Ints) -> Suppliers:
    return Suppliers(
        stages=Groups.of_sizes([len(found.countries) if found else 0 for found in own]),
        share=joined([found.share for found in own if found], np.float64),
        known=joined([found.known for found in own if found], np.bool_),
        governance=governance.weight[countries],
        governed=governance.governed[countries],
        country=world.country_numbers[countries],
    )


def _doubt(sheet: Sheet, own: tuple[Own | None, ...], countries: Ints) -> Doubt:
    rows = (row for found in own if found for row in _qualities(found))
    named = [f"{place.mineral} {place.stage} own" for place in sheet.places]
    return Doubt(
        share_sd=np.array([SHARE_SD["below" if below else "reported"] for below in rows]),
        governance_sd=sheet.governance.sd[countries],
        stage=np.array([zlib.crc32(name.encode()) for name in named], dtype=np.int64),
    )


def _qualities(own: Own) -> list[bool]:
    printed = [row.qualifier == "below" for row in own.mix.rows]
    return printed + [False] * (len(own.countries) - len(printed))
