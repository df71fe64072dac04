"""Export restrictions imposed and lifted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec import structs

from schemas.change import ImposeRestriction, LiftRestriction
from service.world.rows import Restriction
from service.world.scenario.state import SOURCE, State
from service.world.standing import restriction_stands
from service.world.world import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator


def impose_restriction(state: State, change: ImposeRestriction) -> State:
    """One restriction for each mineral named."""
    country = state.need_country(change.country, "country")
    rows = [
        Restriction(
            id=f"scenario-{state.place}-{mineral}",
            country=country,
            type=change.type,
            mineral=mineral,
            stages=tuple(change.stages or STAGES),
            targets=state.need_parties(change.buyers or (), "buyers"),
            factor=change.factor,
            valid_from=state.day(change.on),
            printed="made up by the scenario",
            source=SOURCE,
        )
        for mineral in state.need_minerals(change.minerals, "minerals")
    ]
    return _with(state, state.world.restrictions | {row.id: row for row in rows})


def lift_restriction(state: State, change: LiftRestriction) -> State:
    """What a country restricts is lifted as far as minerals, stages and buyers are named; the rest of it stays."""
    country = state.need_country(change.country, "country")
    named = state.need_minerals(change.minerals or (), "minerals")
    lifted = _Lifted(
        minerals=state.world.covered(frozenset(named or state.world.minerals)),
        stages=frozenset(change.stages or STAGES),
        buyers=state.ties.all_of(state.need_parties(change.buyers, "buyers")) if change.buyers else None,
    )
    rows: dict[str, Restriction] = {}
    touched = False
    for row in state.world.restrictions.values():
        if row.country == country and restriction_stands(row, state.as_of) and lifted.touch(state, row):
            touched = True
            rows |= {left.id: left for left in lifted.rest(state, row)}
        else:
            rows[row.id] = row
    return _with(state, rows) if touched else state.noted(f"no restriction of {country} like this is in force")


def _with(state: State, rows: dict[str, Restriction]) -> State:
    return state.with_rows(restrictions=dict(sorted(rows.items())))


@dataclass(frozen=True)
class _Lifted:
    """How far restrictions are lifted; `buyers` of None are all."""

    minerals: frozenset[str]
    stages: frozenset[str]
    buyers: frozenset[str] | None

    def touch(self, state: State, row: Restriction) -> bool:
        """Whether any of a restriction is lifted."""
        return (
            not self.minerals.isdisjoint(state.world.covered(frozenset((row.mineral,))))
            and not self.stages.isdisjoint(row.stages)
            and (self.buyers is None or not row.targets or not self.buyers.isdisjoint(state.ties.all_of(row.targets)))
        )

    def rest(self, state: State, row: Restriction) -> Iterator[Restriction]:
        """What stays of a restriction: its other stages, its other minerals, and for others than these buyers all."""
        if others := tuple(stage for stage in row.stages if stage not in self.stages):
            yield structs.replace(row, id=f"{row.id}-{others[0]}", stages=others)
        stages = tuple(stage for stage in row.stages if stage in self.stages)
        for mineral in sorted(state.world.covered(frozenset((row.mineral,))) - self.minerals):
            if not state.world.minerals[mineral].members:
                yield structs.replace(row, id=f"{row.id}-{mineral}", mineral=mineral, stages=stages)
        if self.buyers is not None:
            for mineral in self._lifted_minerals(state, row):
                named = row.id if mineral == row.mineral else f"{row.id}-{mineral}"
                yield structs.replace(
                    row, id=named, mineral=mineral, stages=stages, targets=self._others(state, row, self.buyers)
                )

    def _lifted_minerals(self, state: State, row: Restriction) -> list[str]:
        meant = state.world.covered(frozenset((row.mineral,)))
        if meant <= self.minerals:
            return [row.mineral]
        return sorted(name for name in meant & self.minerals if not state.world.minerals[name].members)

    @staticmethod
    def _others(state: State, row: Restriction, buyers: frozenset[str]) -> tuple[str, ...]:
        """Whom a restriction goes on hitting, country by country, and blocs nobody is recorded to belong to."""
        ties = state.ties
        empty = (bloc for bloc in state.world.blocs if not ties.expand(bloc))
        hit = ties.all_of(row.targets) if row.targets else {*state.world.countries, *empty}
        return tuple(sorted(hit - buyers))
