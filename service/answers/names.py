"""The names of what stands between a buyer and suppliers, where scores know it by its place in the World."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec.structs import replace

from service.world.position import NOBODY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from schemas.score import StageScore, Supplier
    from service.world.position import Position
    from service.world.sheet import Sheet
    from service.world.world import World


class Names(NamedTuple):
    """What is known by its place in the World, by that place; NOBODY, the last, has no name."""

    countries: list[str]
    agreements: list[str | None]
    restrictions: list[str | None]

    @classmethod
    def of(cls, world: World) -> Names:
        """The names of a World's countries, agreements and restrictions."""
        return world.memo.get("names", lambda: cls._of(world))

    @classmethod
    def _of(cls, world: World) -> Names:
        return cls(list(world.countries), [*world.agreements, None], [*world.restrictions, None])

    def added(self, suppliers: Iterable[Supplier], position: Position, rows: Iterable[int]) -> list[Supplier]:
        """Suppliers, whose rows stand among those of `position`, with the names of what ties and restricts them."""
        agreements, restrictions = position.agreement.tolist(), position.restriction.tolist()
        return [
            supplier
            if agreements[row] == restrictions[row] == NOBODY
            else replace(
                supplier,
                agreement=self.agreements[agreements[row]],
                restriction=self.restrictions[restrictions[row]],
            )
            for supplier, row in zip(suppliers, rows, strict=True)
        ]


def named(world: World, sheet: Sheet, stages: Sequence[StageScore], position: Position) -> list[StageScore]:
    """The stages of a sheet's one mineral with the names of the agreements and restrictions of a buyer's position."""
    names = Names.of(world)
    return [
        replace(stage, suppliers=names.added(stage.suppliers, position, rows)) if stage.suppliers else stage
        for stage, rows in zip(stages, sheet.printed, strict=True)
    ]
