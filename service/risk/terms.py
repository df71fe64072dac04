"""What stands between one buyer and the suppliers that are scored, row by row, and the partner factors it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.risk.numbers import Bools, Floats, Indexes, Ints, Real, indexes, numbers
from service.risk.partners import LADDER, STRONGEST_RESTRICTION, Ladder, RestrictionType, Tier, central


@dataclass(frozen=True, eq=False)
class Terms:
    """What stands between one buyer and each supplier row, in the rows' own order.

    tier         the best tie, as `Tier`
    restriction  the type of the strongest restriction that applies, as `RestrictionType`
    rate, rated  the restriction's strength r where its source gives one (`rated`); ignored elsewhere
    relieved     whether a binding clause in force forbids the restriction (ρ = 1)
    """

    tier: Indexes
    restriction: Indexes
    rate: Floats
    rated: Bools
    relieved: Bools

    def __post_init__(self) -> None:
        if len({len(column) for column in (self.tier, self.restriction, self.rate, self.rated, self.relieved)}) > 1:
            raise ValueError("the columns of terms must be equally long")
        indexes("a tier", self.tier, len(Tier))
        indexes("a restriction", self.restriction, len(RestrictionType))
        numbers("a restriction's rate", self.rate[self.rated], 1, STRONGEST_RESTRICTION)

    @classmethod
    def none(cls, rows: int) -> Terms:
        """No tie and no restriction towards any of `rows` suppliers."""
        return cls(
            tier=np.full(rows, Tier.NONE, dtype=np.int8),
            restriction=np.full(rows, RestrictionType.NONE, dtype=np.int8),
            rate=np.ones(rows),
            rated=np.zeros(rows, dtype=np.bool_),
            relieved=np.zeros(rows, dtype=np.bool_),
        )

    def only(self, rows: slice) -> Terms:
        """The terms of some of the rows, as arrays of their own: a view would keep all rows in memory."""
        some = Terms(
            tier=self.tier[rows].copy(),
            restriction=self.restriction[rows].copy(),
            rate=self.rate[rows].copy(),
            rated=self.rated[rows].copy(),
            relieved=self.relieved[rows].copy(),
        )
        vars(some)["kinds"] = self.kinds.only(rows)
        return some

    @cached_property
    def restricted(self) -> Bools:
        """Rows whose restriction bites: one is in force and no clause forbids it."""
        return np.asarray((self.restriction != RestrictionType.NONE) & ~self.relieved)

    def factors(self, ladder: Ladder = LADDER) -> Floats:
        """The partner factor t of each row at the ladder's central values."""
        return self.factors_at(*central(ladder))[:, 0]

    def factors_at(self, tau: NDArray[Real], r: NDArray[Real], rows: slice | Ints = slice(None)) -> NDArray[Real]:
        """The partner factor of some rows for several readings of the ladder at once.

        `tau` (tiers × readings) and `r` (restriction types × readings) give (rows × readings), in `tau`'s own dtype.
        """
        return self.table(tau, r).take(self.kind[rows], axis=0)

    def table(self, tau: NDArray[Real], r: NDArray[Real]) -> NDArray[Real]:
        """The partner factor of each kind of terms there is: (kinds × readings), see `factors_at`."""
        kinds = self.kinds
        factors = tau.take(kinds.tier, axis=0)
        bites = np.flatnonzero(kinds.restricted)
        if bites.size:
            rated, rate, own = kinds.rated[bites, None], kinds.rate[bites, None], r[kinds.restriction[bites]]
            factors[bites] *= np.where(rated, rate, own).astype(tau.dtype, copy=False)
        return factors

    @property
    def kind(self) -> Ints:
        """Which kind of terms each row has, as a row of `table`."""
        return self.kinds.of_row

    @cached_property
    def steps(self) -> frozenset[int]:
        """The steps of the ladder that any row's factor rests on, by their place in `STEPS`; no other counts here."""
        kinds = self.kinds
        types = kinds.restriction[kinds.restricted & ~kinds.rated].tolist()
        return frozenset([*kinds.tier.tolist(), *(len(Tier) - 1 + each for each in types)])

    @cached_property
    def kinds(self) -> Kinds:
        """The different terms among the rows."""
        code = self.tier.astype(np.int16)
        bites = np.flatnonzero(self.restricted)
        if bites.size:
            strength = np.where(self.rated[bites], self.rate[bites], -self.restriction[bites])
            code[bites] += np.int16(len(Tier)) * (1 + np.unique(strength, return_inverse=True)[1].astype(np.int16))
        _, first, of_row = np.unique(code, return_index=True, return_inverse=True)
        every = Kinds(of_row, self.tier, self.restricted, self.restriction, self.rate, self.rated)
        return every.of(of_row, first)


class Kinds(NamedTuple):
    """The different terms among some rows, a few for hundreds of them, and which of these each row has."""

    of_row: Ints
    tier: Indexes
    restricted: Bools
    restriction: Indexes
    rate: Floats
    rated: Bools

    def only(self, rows: slice) -> Kinds:
        """The kinds of some of the rows."""
        of_row = self.of_row[rows]
        there = sorted(set(of_row.tolist()))
        place = np.zeros(len(self.tier), dtype=np.int64)
        place[there] = np.arange(len(there))
        return self.of(place[of_row], there)

    def of(self, of_row: Ints, there: list[int] | Ints) -> Kinds:
        """Those at some places, and which of them each row has."""
        return Kinds(
            of_row=of_row,
            tier=self.tier[there],
            restricted=self.restricted[there],
            restriction=self.restriction[there],
            rate=self.rate[there],
            rated=self.rated[there],
        )
