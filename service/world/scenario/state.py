"""What changes act on: a World, a ladder, and the output that is to be lost and added once all changes are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from service.world.standing import Ties

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from service.risk.partners import Ladder
    from service.world.rows import Stage
    from service.world.world import World

SOURCE = "scenario"
"""What rows that a scenario makes up name as their source: no source of the ledger has this id."""


class ChangeError(Exception):
    """A change that cannot be made. `place` is its place in the list, `field` the part of it at fault."""

    def __init__(self, field: str, detail: str, place: int = -1) -> None:
        super().__init__(detail)
        self.field = field
        self.detail = detail
        self.place = place


@dataclass(frozen=True)
class Shift:
    """Output of a country that is lost (amount below 0), added or moved, as a fraction of world output before.

    A supplier whose share is withheld loses an amount nobody knows: None. `fraction` is the part of what it has that a
    supplier loses, `quantity` the amount in the unit of the source, where there is one.
    """

    place: int
    kind: Literal["lost", "added", "moved"]
    mineral: str
    stage: Stage
    country: str
    amount: float | None
    fraction: float = 0.0
    quantity: float | None = None


@dataclass(frozen=True)
class State:
    """A World and ladder in the middle of a scenario; `place` is the place of the change being made."""

    world: World
    ladder: Ladder
    as_of: date
    place: int = -1
    shifts: tuple[Shift, ...] = ()
    notes: tuple[tuple[int, str], ...] = ()
    caveats: tuple[str, ...] = ()

    def with_rows(self, **rows: Any) -> State:
        """This state with other rows in its World."""
        return replace(self, world=replace(self.world, **rows))

    def noted(self, text: str) -> State:
        """This state with something to know about the change being made."""
        return replace(self, notes=(*self.notes, (self.place, text)))

    @cached_property
    def ties(self) -> Ties:
        """Who is tied to whom on the day."""
        return Ties(self.world, self.as_of)

    def day(self, on: date | None) -> str:
        """The day a change takes place, as evidence writes it."""
        return (on or self.as_of).isoformat()

    def need_country(self, code: str, field: str) -> str:
        """A country's code. Raises ChangeError where there is none such."""
        if code not in self.world.countries:
            raise ChangeError(field, f"no country has the code {code!r}")
        return code

    def need_parties(self, names: Iterable[str], field: str) -> tuple[str, ...]:
        """Countries and blocs. Raises ChangeError where one is neither."""
        found = tuple(names)
        for place, name in enumerate(found):
            if name not in self.world.countries and name not in self.world.blocs:
                raise ChangeError(f"{field}/{place}", f"no country or bloc is called {name!r}")
        return found

    def need_minerals(self, names: Iterable[str], field: str) -> tuple[str, ...]:
        """Minerals as named. Raises ChangeError where there is none such."""
        found = tuple(names)
        for place, name in enumerate(found):
            if name not in self.world.minerals:
                raise ChangeError(f"{field}/{place}", f"no mineral is called {name!r}")
        return found
