"""One mineral scored as if an agreement or a restriction had never been, all others as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from service.risk.methods.partner_adjusted import MineralScores, score_minerals, score_stages
from service.world.memo import Memo
from service.world.position import NOBODY, Positions
from service.world.scoring import Scored, terms_of
from service.world.standing import ties_on
from service.world.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from service.world.position import Position


@dataclass(frozen=True, eq=False)
class Without:
    """The mineral's scores without one agreement or restriction; `stages` are those where it stands, by position."""

    kind: Literal["agreement", "restriction"]
    id: str
    stages: frozenset[int]
    scores: MineralScores


def without_each(world: World, buyer: str, as_of: date, mineral: str, alone: Scored) -> Iterator[Without]:
    """Leaves out in turn what makes a tie to a supplier of the mineral, forbids it a restriction, or restricts it.

    `alone` is the mineral's score as it is. Of a bloc that is whatever does so for any of its members: the bloc has the
    weakest of their ties, so each can matter.
    """
    ladder = alone.scores.stages.ladder
    near, cells = _near(world, buyer, as_of, mineral, alone), alone.sheet.cells
    for (kind, name), stages in _standing(near, buyer, Positions(near, as_of, ladder, cells), alone).items():
        rows = {each: row for each, row in getattr(near, f"{kind}s").items() if each != name}
        left = _with_rows(near, **{f"{kind}s": rows})
        terms = terms_of(left, Positions(left, as_of, ladder, cells).of(buyer))
        scored = score_minerals(score_stages(alone.sheet.suppliers, terms, ladder), alone.sheet.minerals)
        yield Without(kind, name, frozenset(stages), scored)


def _near(world: World, buyer: str, as_of: date, mineral: str, alone: Scored) -> World:
    """The World with only those agreements and restrictions that can come between the buyer and the suppliers."""
    ties, codes = ties_on(world, as_of), list(world.countries)
    suppliers = {codes[place] for place in alone.sheet.cells[2].tolist()}
    agreements = {
        ties.instruments[tied.instrument].agreement.id
        for member in ties.expand(buyer) or {buyer}
        for tied in ties.standing(member).ties
        if mineral in tied.minerals and not suppliers.isdisjoint(ties.all_of(tied.reached))
    }
    restrictions = {
        name
        for name, row in world.restrictions.items()
        if row.country in suppliers and mineral in world.touched(row.mineral)
    }
    return _with_rows(
        world,
        agreements={name: row for name, row in world.agreements.items() if name in agreements},
        restrictions={name: row for name, row in world.restrictions.items() if name in restrictions},
    )


def _with_rows(world: World, **rows: Any) -> World:
    return replace(world, **rows, memo=Memo())


def _standing(
    near: World, buyer: str, positions: Positions, alone: Scored
) -> dict[tuple[Literal["agreement", "restriction"], str], set[int]]:
    """What stands between any member of the buyer and a supplier with a share, and at which stages."""
    ties = positions.ties
    members = {ties.standing(member): member for member in sorted(ties.expand(buyer)) or [buyer]}
    suppliers = alone.sheet.suppliers
    rows = suppliers.known_share > 0
    stages = suppliers.stages.index[rows].tolist()
    names = {"agreement": list(near.agreements), "restriction": list(near.restrictions)}
    found: dict[tuple[Literal["agreement", "restriction"], str], set[int]] = {}

    def add(kind: Literal["agreement", "restriction"], position: Position, what: str) -> None:
        for stage, place in zip(stages, getattr(position, what)[rows].tolist(), strict=True):
            if place != NOBODY:
                found.setdefault((kind, names[kind][place]), set()).add(stage)

    for member in members.values():
        position = positions.of(member)
        add("agreement", position, "agreement")
        add("agreement", position, "protector")
        add("restriction", position, "restriction")
    return found
