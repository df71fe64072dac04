"""What the ledger knows by name, for telling a file's rows that speak of something it does not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from service.importing.model import MOST_COUNTED
from service.intake.names import Names, closest, fold, wanted_name
from service.intake.problems import Problem
from service.store import reading
from service.world.rows import KINDS, Country, Mineral, Row, TariffLine

if TYPE_CHECKING:
    from service.store.ledger import Connection

_TARGETS = {target for kind in KINDS for targets in kind.refers.values() for target in targets}
_REFERRED = tuple(kind for kind in KINDS if kind.kind in _TARGETS)


class _Pending(NamedTuple):
    """A name that nothing known has, unless the rest of the file brings it."""

    line: int
    column: str
    value: str
    targets: tuple[str, ...]


class Known:
    """Everything rows may refer to: what the ledger has, and what the file in hand brings along."""

    def __init__(self, names: Names, ids: dict[str, set[str]], tariff_lines: frozenset[str]) -> None:
        self.names = names
        self.ids = ids
        self.tariff_lines = tariff_lines
        self._pending: list[_Pending] = []

    @classmethod
    async def read(cls, connection: Connection, corrections: Mapping[str, str]) -> Known:
        """What the newest revision knows."""
        head = await reading.head_id(connection)
        ids = {
            kind.kind: {getattr(row, kind.key[0]) for row in await reading.standing(connection, kind, head)}
            for kind in _REFERRED
        }
        countries = await reading.standing(connection, Country, head)
        minerals = await reading.standing(connection, Mineral, head)
        lines = await reading.standing(connection, TariffLine, head)
        return cls(Names(countries, minerals, corrections), ids, frozenset(line.code for line in lines))

    def accepted(self, kind: type[Row], column: str) -> set[str | None]:
        """What a column of a kind may refer to, as far as it is known by now; a set that callers may add to."""
        return {None}.union(*(self.ids[target] for target in kind.refers[column]))

    def strangers(self, row: Row, line: int) -> Iterator[Problem]:
        """What a row refers to that does not exist."""
        for column, targets in row.refers.items():
            value = getattr(row, column)
            for name in value if isinstance(value, tuple) else (value,):
                if name is None or any(name in self.ids[target] for target in targets):
                    continue
                if row.kind not in targets:
                    yield self._problem(_Pending(line, column, name, targets))
                elif len(self._pending) < MOST_COUNTED:  # the ledger itself refuses whatever is beyond
                    self._pending.append(_Pending(line, column, name, targets))

    def bring(self, row: Row) -> None:
        """Takes note of a row of the file that others may refer to."""
        if row.kind in self.ids:
            self.ids[row.kind].add(getattr(row, row.key[0]))

    def left_over(self) -> Iterator[Problem]:
        """What the file's rows refer to that neither the ledger nor the whole file has."""
        for pending in self._pending:
            if not any(pending.value in self.ids[target] for target in pending.targets):
                yield self._problem(pending)

    def _problem(self, stranger: _Pending) -> Problem:
        line, column, value, targets = stranger
        kinds = " or ".join(targets)
        if {"country", "mineral"} & set(targets):
            return Problem(line, column, value, wanted_name(targets, value, self.names) or f"a known {kinds}")
        known = {fold(name): name for target in targets for name in self.ids[target]}
        return Problem(line, column, value, f"a known {kinds}; {closest(value, known)}")
