"""What a World takes over of what was worked out from the one before: whatever follows from parts that are the same.

A correction changes a few rows, and those who ask go on asking what they asked before. Of what is not taken over they
would all have to wait at the same moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from service.world.memo import Memo, kept
from service.world.position import MOST_POSITIONS, Positions
from service.world.sheet import Sheet, lay_out_after
from service.world.standing import Ties
from service.world.world import STAGES, World

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

Same = dict[tuple[Sheet, str], Sheet]
"""By a sheet of the World before and a mineral that says the same now: the sheet on which it says so."""

T = TypeVar("T")


def carry(base: World, world: World) -> None:
    """Takes over from `base`, the World before, what would be worked out the same from `world`."""
    catalog, standing = _same(base, world, CATALOG), _same(base, world, STANDING)
    placed = catalog and _placed(base) == _placed(world)
    figures = catalog and _same(base, world, FIGURES)
    same: Same = {}
    if figures:
        _put(world.memo, _found(base.memo, Sheet))
        same = {(sheet, mineral): sheet for _, sheet in _found(base.memo, Sheet) for mineral in sheet.places_of}
    elif base.undated_days == world.undated_days:
        same = _lay_out_again(base, world)
    if placed:
        _carry_told(base, world, same)
    if placed and figures:
        _share(base, world, "stands", "scored", "stands alone", "alone")
    if standing and figures:
        _share(base, world, "buyers")
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


def _share(base: World, world: World, *names: str) -> None:
    """Lets both Worlds keep what they work out in the same memories."""
    parts = base.memo.parts
    world.memo.parts.update((name, parts[name]) for name in names if name in parts)


def _lay_out_again(base: World, world: World) -> Same:
    """Sheets by the figures of now; a mineral that says the same keeps its own, and what is kept with it."""
    same: Same = {}
    for key, before in _found(base.memo, Sheet)[-MOST_SHEETS:]:
        sheet = lay_out_after(before, base, world)
        for mineral in sheet.places_of:
            if _speaks_alike(base, world, mineral) and sheet.governed(mineral) == before.governed(mineral):
                same[before, mineral] = sheet
        for mineral, own in _found(before.memo, Sheet):
            if (before, mineral) in same:
                sheet.memo.put(mineral, own.beside(sheet.governance))
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


def _carry_told(base: World, world: World, same: Same) -> None:
    """Accounts of minerals that say the same, by how buyers stand towards their suppliers and by their terms."""

    def name(key: tuple[Any, ...]) -> tuple[Any, ...] | None:
        sheet, mineral, *stands = key
        return (same[sheet, mineral], mineral, *stands) if (sheet, mineral) in same else None

    for what in ("told", "alike"):
        if what in base.memo.parts:
            world.memo.parts[what] = base.memo.parts[what].renamed(name)


def _carry_positions(base: World, world: World) -> None:
    """Positions are towards the suppliers of a sheet: those of days on which the same ones stand in the same order."""
    sheets = dict(_found(world.memo, Sheet))
    positions = kept(world, "positions", MOST_POSITIONS)
    for key, each in _found(kept(base, "positions", MOST_POSITIONS), Positions):
        _, period, _ = key
        sheet = sheets.get(("sheet", period))
        if sheet is not None and each.towards(sheet.cells):
            positions.put(key, each.within(world))
