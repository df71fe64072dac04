"""How a mineral's score moved, point by point, as the wire contract has it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from schemas.history import HistoryPoint
from service.answers.score import Account
from service.risk.partners import tier_of
from service.world.scoring import NOBODY, is_buyer
from service.world.standing import restriction_stands, status_on
from service.world.world import STAGES

if TYPE_CHECKING:
    from schemas.common import Stage
    from schemas.score import Score
    from service.world.scoring import Scored
    from service.world.shares import ShareSet
    from service.world.world import World


def year_ends(world: World, mineral: str, first: int | None, last: int | None, as_of: date) -> list[date]:
    """The last days of the years `first` to `last` from the first figures on, the day itself in place of its year's."""
    sets = [found for (name, _), several in world.share_sets.items() if name == mineral for found in several]
    begins = [shares.period[1] if shares.period else (shares.undated_from or as_of).year for shares in sets]
    if not begins:
        return []
    years = range(max(min(begins), first or 1), min(as_of.year, last or as_of.year) + 1)
    return [min(date(year, 12, 31), as_of) for year in years]


@dataclass(frozen=True)
class Moment:
    """One mineral for one buyer on a day, as one World has it; the World may know neither of them yet."""

    world: World
    mineral: str
    buyer: str
    as_of: date
    level: float

    def point(self, before: Moment | None) -> HistoryPoint:
        """The point of the history, with what changed since the point before."""
        told = self._told
        return HistoryPoint(
            as_of=self.as_of,
            known_at=self.world.revision,
            committed_at=self.world.committed_at,
            status=told.status if told else "insufficient_data",
            reasons=told.reasons if told else [f"the ledger did not know {self._missing} yet"],
            score=told.score if told else None,
            band=told.band if told else None,
            interval_low=told.interval.low if told and told.interval else None,
            interval_high=told.interval.high if told and told.interval else None,
            value=told.value if told else None,
            binding_stage=told.binding_stage if told else None,
            reference_year=self._reference_year,
            new_shares=self._new_shares(before) if before else [],
            new_governance=before is not None and self._new_governance(before),
            events=self._events(before) if before else [],
        )

    @cached_property
    def _missing(self) -> str | None:
        """What the World does not know: the mineral or the buyer."""
        if self.mineral not in self.world.minerals:
            return self.mineral
        return None if is_buyer(self.world, self.buyer) else self.buyer

    @cached_property
    def _account(self) -> Account | None:
        return None if self._missing else Account.of(self.world, self.buyer, self.as_of, level=self.level)

    @cached_property
    def _told(self) -> Score | None:
        return self._account.score(self.mineral) if self._account else None

    @cached_property
    def _alone(self) -> Scored | None:
        return self._account.scored.only(self.mineral) if self._account else None

    @property
    def _reference_year(self) -> int | None:
        if self._told is None:
            return None
        return next((s.reference_year for s in self._told.stages if s.stage == self._told.binding_stage), None)

    @cached_property
    def _sets(self) -> dict[Stage, ShareSet]:
        places = self._alone.sheet.places if self._alone else ()
        return {place.stage: place.shares for place in places if place.shares}

    def _new_shares(self, before: Moment) -> list[Stage]:
        return [stage for stage in STAGES if not _same(before._sets.get(stage), self._sets.get(stage))]

    @cached_property
    def _governance(self) -> dict[int, float]:
        """The weight of each supplier that has one, by the country's stable number."""
        if self._alone is None:
            return {}
        found = self._alone.sheet.suppliers
        return dict(zip(found.country[found.governed].tolist(), found.governance[found.governed].tolist(), strict=True))

    def _new_governance(self, before: Moment) -> bool:
        return any(before._governance.get(country, weight) != weight for country, weight in self._governance.items())

    @cached_property
    def _between(self) -> set[str]:
        """The agreements and restrictions between the buyer and a supplier."""
        if self._alone is None:
            return set()
        rows = self._alone.sheet.suppliers.known_share > 0
        agreements, restrictions = list(self.world.agreements), list(self.world.restrictions)
        position = self._alone.position
        return {
            names[place]
            for names, places in ((agreements, position.agreement), (restrictions, position.restriction))
            for place in places[rows].tolist()
            if place != NOBODY
        }

    def _standing(self, name: str) -> tuple[object, ...]:
        """How an agreement or restriction stands: its row, and what it amounts to on the day."""
        if agreement := self.world.agreements.get(name):
            status = status_on(agreement, self.as_of)
            return agreement, tier_of(agreement.type, agreement.binding, status)
        restriction = self.world.restrictions.get(name)
        return restriction, restriction is not None and restriction_stands(restriction, self.as_of)

    def _events(self, before: Moment) -> list[str]:
        either = sorted(self._between | before._between)
        return [name for name in either if before._standing(name) != self._standing(name)]


def _same(one: ShareSet | None, other: ShareSet | None) -> bool:
    """Whether two share sets print the same shares of the same period, from the same source."""
    if one is None or other is None:
        return one is other
    return (one.source.id, one.period, one.rows) == (other.source.id, other.period, other.rows)
