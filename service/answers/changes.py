"""The ledger's history as the wire contract has it: revisions, changed rows, and the scores they moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import msgspec

from schemas import revisions as wire
from service.world.world import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemas.revisions import Cause
    from schemas.score import Supplier
    from service.answers.score import Account
    from service.store.ledger import Revision
    from service.world.change import Change
    from service.world.rows import Restriction
    from service.world.shares import ShareSet

UNMOVING = frozenset(
    ("reserve", "control", "sourcing", "reliance", "parameter", "rating", "production", "trade", "tariff_line", "claim")
    + ("deposit",)
)
"""Kinds of evidence the default score does not look at."""

Line = dict[str, Any] | None
"""A mineral's line in the list of scores, as it goes out; None where it is not in the list."""

SetKey = tuple[str, str, tuple[int, int] | None]


def revision_info(revision: Revision) -> wire.RevisionInfo:
    """A commit of the ledger."""
    return wire.RevisionInfo(
        revision=revision.id,
        committed_at=revision.committed_at,
        author=revision.author,
        reason=revision.reason,
        file=None if revision.file is None else wire.FileInfo(name=revision.file.name, sha256=revision.file.sha256),
        retracts=revision.retracts,
        rows=revision.rows,
        data_version=revision.data_version,
    )


def moves_scores(revision: Revision) -> bool:
    """Whether a revision wrote anything the default score looks at."""
    return not UNMOVING.issuperset(revision.rows)


def row_change(change: Change) -> wire.ChangeEntry:
    """A row's change."""
    return wire.ChangeEntry(
        revision=change.revision,
        place=change.place,
        what=change.row.kind,
        key={column: getattr(change.row, column) for column in change.row.key},
        causes=[change.cause],
        before=None if change.before is None else msgspec.to_builtins(change.before),
        after=None if change.after is None else msgspec.to_builtins(change.after),
    )


@dataclass(frozen=True)
class Step:
    """One buyer's scores before and after something happened; None where the buyer was not known.

    `known_cause` says what happened where that is settled beforehand.
    """

    before: Account | None
    after: Account | None
    known_cause: Cause | None = None

    def changes(self, revision: int, place: int, buyer: str) -> list[wire.ChangeEntry]:
        """The lines of the list of scores that differ, as entries of a revision from a place on."""
        return [
            wire.ChangeEntry(
                revision=revision,
                place=place + number,
                what="score",
                key={"buyer": buyer, "mineral": mineral},
                causes=[self.known_cause] if self.known_cause else self._causes(mineral, before, after),
                before=before,
                after=after,
            )
            for number, (mineral, before, after) in enumerate(self._moved())
        ]

    def _moved(self) -> Iterator[tuple[str, Line, Line]]:
        minerals = {m: None for account in (self.before, self.after) if account for m in account.world.minerals}
        for mineral in sorted(minerals):
            before, after = _line(self.before, mineral), _line(self.after, mineral)
            if before != after:
                yield mineral, before, after

    def _causes(self, mineral: str, before: Line, after: Line) -> list[Cause]:
        """What moved a mineral's line: every kind of change among its inputs, else its rank, by scores of others."""
        found = {*self._share_causes(mineral), *self._buyer_causes(mineral)}
        if not found and before and after and before | {"rank": None} == after | {"rank": None}:
            return ["rank"]
        return sorted(found) or ["catalog"]

    def _share_causes(self, mineral: str) -> Iterator[Cause]:
        for stage in STAGES:
            old, new = _sets(self.before, mineral, stage), _sets(self.after, mineral, stage)
            newest = max((shares.reference_year or 0 for shares in old.values()), default=None)
            for key in new.keys() - old.keys():
                year = new[key].reference_year
                yield "new_year" if newest is not None and (year or 0) > newest else "new_source"
            if old.keys() - new.keys():
                yield "retraction"
            for key in old.keys() & new.keys():
                if old[key].rows != new[key].rows:
                    yield "correction"
                if old[key].source != new[key].source:
                    yield "catalog"

    def _buyer_causes(self, mineral: str) -> Iterator[Cause]:
        if self.before is None or self.after is None:
            return
        if mineral not in self.before.world.minerals or mineral not in self.after.world.minerals:
            return
        if self.before.world.minerals[mineral] != self.after.world.minerals[mineral]:
            yield "catalog"
        old, new = _suppliers(self.before, mineral), _suppliers(self.after, mineral)
        for place in old.keys() & new.keys():
            yield from self._supplier_causes(old[place], new[place])

    def _supplier_causes(self, old: Supplier, new: Supplier) -> Iterator[Cause]:
        if _governance(self.before, old.country) != _governance(self.after, new.country):
            yield "governance"
        restricted = _restriction(self.before, old) != _restriction(self.after, new)
        if restricted and "restriction" in self._between_countries:
            yield "restriction"
        elif (old.tie, old.agreement, old.partner_factor) != (new.tie, new.agreement, new.partner_factor):
            yield from (cause for cause in self._between_countries if cause != "restriction")

    @cached_property
    def _between_countries(self) -> list[Cause]:
        """What changed, of all that stands between countries."""
        assert self.before is not None
        assert self.after is not None
        old, new = self.before.world, self.after.world
        compared: list[tuple[Cause, bool]] = [
            ("agreement", (old.agreements, old.provisions) == (new.agreements, new.provisions)),
            ("membership", (old.blocs, old.memberships) == (new.blocs, new.memberships)),
            ("listing", old.listings == new.listings),
            ("restriction", old.restrictions == new.restrictions),
            ("catalog", old.minerals == new.minerals),
        ]
        return [cause for cause, same in compared if not same]


def _line(account: Account | None, mineral: str) -> Line:
    if account is None or mineral not in account.world.minerals:
        return None
    line: Line = msgspec.to_builtins(account.row(mineral))
    return line


def _sets(account: Account | None, mineral: str, stage: str) -> dict[SetKey, ShareSet]:
    sets = account.world.share_sets.get((mineral, stage), ()) if account else ()
    return {(stage, shares.source.id, shares.period): shares for shares in sets}


def _suppliers(account: Account, mineral: str) -> dict[tuple[str, str], Supplier]:
    stages = account.score(mineral).stages
    return {(stage.stage, supplier.country): supplier for stage in stages for supplier in stage.suppliers}


def _governance(account: Account | None, country: str) -> tuple[float, float]:
    assert account is not None
    weights, place = account.scored.sheet.governance, account.world.country_index[country]
    return float(weights.weight[place]), float(weights.sd[place])


def _restriction(account: Account | None, supplier: Supplier) -> Restriction | None:
    return account.world.restrictions[supplier.restriction] if account and supplier.restriction else None
