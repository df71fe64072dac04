"""What a World takes over of what was worked out from the one before: whatever follows from parts that are the same.

A correction changes a few rows, and those who ask go on asking what they asked before. Of what is not taken over they
would all have to wait at the same moment.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from service.world.position import MOST_POSITIONS, Positions
from service.world.scoring import MOST_ALONE, MOST_BUYERS, MOST_SCORED
from service.world.sheet import Sheet, lay_out_after
from service.world.standing import Ties
from service.world.world import STAGES, Memo, World, kept

if TYPE_CHECKING:
    from collections.abc import Iterable

CATALOG = ("minerals", "countries", "controls")
"""The parts of a World that sheets, and what is kept with them, are made from beside figures."""

FIGURES = ("share_sets", "governance")
"""The parts that sheets are made from and that speak of figures."""

STANDING = (
    *("countries", "minerals", "blocs", "agreements", "provisions", "restrictions"),
    *("listings", "memberships", "event_days"),
)
"""The parts that say who stands how towards whom."""

MOST_SHEETS = 4
"""So many sheets are laid out again where figures have changed: those asked for last."""

T = TypeVar("T")


def carry(base: World, world: World) -> None:
    """Takes over from `base`, the World before, what would be worked out the same from `world`."""
    catalog, standing = _same(base, world, CATALOG), _same(base, world, STANDING)
    placed = catalog and _placed(base) == _placed(world)
    if catalog and _same(base, world, FIGURES):
        _put(world.memo, _found(base.memo, Sheet))
        if placed:
            _share(base, world, "scored", MOST_SCORED)
            _share(base, world, "alike", MOST_ALONE)
        if standing:
            _share(base, world, "stands", MOST_BUYERS)
    elif base.undated_days == world.undated_days:
        own = _lay_out_again(base, world)
        if placed:
            _carry_alike(base, world, own)
    if standing:
        _put(world.memo, [(key, ties.within(world)) for key, ties in _found(base.memo, Ties)])
        _carry_positions(base, world)


def _same(base: World, world: World, parts: tuple[str, ...]) -> bool:
    return all(getattr(base, part) is getattr(world, part) for part in parts)


def _placed(world: World) -> tuple[list[str], list[tuple[str, str, float | None]]]:
    """What scores know by its place: the agreements, and the restrictions with what each does to a score."""
    return list(world.agreements), [(row.id, row.type, row.factor) for row in world.restrictions.values()]


def _found(memo: Memo, kind: type[T]) -> list[tuple[Any, T]]:
    return [(key, each) for key, each in memo.items() if isinstance(each, kind)]


def _put(memo: Memo, found: Iterable[tuple[Any, Any]]) -> None:
    for key, each in found:
        memo.put(key, each)


def _share(base: World, world: World, what: str, size: int) -> None:
    """Lets both Worlds keep one kind of thing in the same memory."""
    world.memo.put(("kept", what), kept(base, what, size))


def _lay_out_again(base: World, world: World) -> dict[Sheet, Sheet]:
    """Sheets by the figures of now. The value tells which sheets of one mineral are the same, as they were and are."""
    same: dict[Sheet, Sheet] = {}
    for key, before in _found(base.memo, Sheet)[-MOST_SHEETS:]:
        sheet = lay_out_after(before, base, world)
        for mineral, own in _found(before.memo, Sheet):
            if _speaks_alike(base, world, mineral) and sheet.governed(mineral) == before.governed(mineral):
                same[own] = own.beside(sheet.governance)
                sheet.memo.put(mineral, same[own])
        world.memo.put(key, sheet)
    return same


def _speaks_alike(base: World, world: World, mineral: str) -> bool:
    """Whether what a mineral's sheet says is the same, apart from the governance of its suppliers."""
    sets = ((mineral, stage) for stage in STAGES)
    return (
        _same(base, world, CATALOG)
        and base.governance.release == world.governance.release
        and all(base.share_sets.get(place) is world.share_sets.get(place) for place in sets)
    )


def _carry_alike(base: World, world: World, own: dict[Sheet, Sheet]) -> None:
    """The scores of minerals whose suppliers have the figures they had, by how buyers stand towards these."""
    alike = kept(world, "alike", MOST_ALONE)
    for (sheet, *stands), scored in kept(base, "alike", MOST_ALONE).items():
        if sheet in own:
            alike.put((own[sheet], *stands), replace(scored, sheet=own[sheet], alike=alike))


def _carry_positions(base: World, world: World) -> None:
    """Positions are towards the suppliers of a sheet: those of days on which the same ones stand in the same order."""
    sheets = dict(_found(world.memo, Sheet))
    positions = kept(world, "positions", MOST_POSITIONS)
    for key, each in _found(kept(base, "positions", MOST_POSITIONS), Positions):
        _, period, _ = key
        sheet = sheets.get(("sheet", period))
        if sheet is not None and each.towards(sheet.cells):
            positions.put(key, each.within(world))
