"""What stands between one buyer and the suppliers that are scored, row by row, and the partner factors it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.risk.numbers import Floats, Indexes, Ints, number
from service.risk.partners import (
    LADDER,
    STRONGEST_RESTRICTION,
    Ladder,
    Reading,
    RestrictionType,
    Step,
    Tier,
)


class Kind(NamedTuple):
    """One kind of terms, of which there are a few for hundreds of suppliers.

    tier         the best tie
    restriction  the type of the strongest restriction that applies
    rate         the restriction's strength r where its source gives one
    relieved     whether a binding clause in force forbids the restriction (ρ = 1)
    """

    tier: Tier = Tier.NONE
    restriction: RestrictionType = RestrictionType.NONE
    rate: float | None = None
    relieved: bool = False

    @property
    def restricted(self) -> bool:
        """Whether the restriction bites: one is in force and no clause forbids it."""
        return self.restriction is not RestrictionType.NONE and not self.relieved

    @property
    def steps(self) -> tuple[int, ...]:
        """The steps of the ladder that its factor rests on, by their place in `STEPS`."""
        rests = self.restricted and self.rate is None
        return (self.tier, len(Tier) + self.restriction - 1) if rests else (self.tier,)

    def r(self, ladder: Ladder) -> Step:
        """The strength of the restriction, which counts where it bites."""
        return ladder.r(self.restriction, self.rate)

    def factor(self, ladder: Ladder, reading: Reading = "central") -> float:
        """The partner factor t by one reading of the ladder."""
        tau: float = getattr(ladder.steps[self.tier], reading)
        return tau * getattr(self.r(ladder), reading) if self.restricted else tau


@dataclass(frozen=True, eq=False)
class Terms:
    """What stands between one buyer and each supplier row: `kind` says which of the `kinds` there can be.

    ValueError where a rate is none.
    """

    kinds: Sequence[Kind]
    kind: Indexes

    @classmethod
    def of(cls, rows: Iterable[Kind]) -> Terms:
        """The terms of rows that are written out. ValueError where the rate of a restriction is out of range."""
        places: dict[Kind, int] = {}
        kind = [places.setdefault(row, len(places)) for row in rows]
        for each in places:
            if each.rate is not None:
                number("a restriction's rate", each.rate, 1, STRONGEST_RESTRICTION)
        return cls(tuple(places), np.array(kind, dtype=np.int64))

    @classmethod
    def none(cls, rows: int) -> Terms:
        """No tie and no restriction towards any of `rows` suppliers."""
        return cls((Kind(),), np.zeros(rows, dtype=np.int64))

    def only(self, rows: slice) -> Terms:
        """The terms of some of the rows, in an array of their own: a view would keep all rows in memory."""
        return Terms(self.kinds, self.kind[rows].copy())

    def at(self, row: int) -> Kind:
        """The terms of one row."""
        return self.kinds[int(self.kind[row])]

    @cached_property
    def _by_place(self) -> tuple[tuple[Kind, ...], Ints]:
        counts = np.bincount(self.kind, minlength=1)
        there = np.flatnonzero(counts)
        places = np.empty(len(counts), dtype=np.int64)
        places[there] = np.arange(len(there))
        return tuple([self.kinds[each] for each in there.tolist()]), places[self.kind]

    @property
    def present(self) -> tuple[Kind, ...]:
        """The kinds there are among the rows; what is said by kind is in this order."""
        return self._by_place[0]

    @property
    def place(self) -> Ints:
        """Which of the kinds that are present each row has."""
        return self._by_place[1]

    @cached_property
    def marks(self) -> NDArray[np.float32]:
        """1 where a row has a kind that is present (kinds × rows), so that a product with it adds up by kind."""
        present, place = self._by_place
        return np.equal(np.arange(len(present))[:, None], place).astype(np.float32)

    @cached_property
    def steps(self) -> frozenset[int]:
        """The steps of the ladder that any row's factor rests on, by their place in `STEPS`; no other counts here."""
        return frozenset([step for kind in self.present for step in kind.steps])

    def central(self, ladder: Ladder = LADDER) -> Floats:
        """The partner factor t of each kind that is present, at the ladder's central values."""
        return np.array([kind.factor(ladder) for kind in self.present])

    def factors(self, ladder: Ladder = LADDER) -> Floats:
        """The partner factor t of each row at the ladder's central values."""
        return self.central(ladder)[self.place]
