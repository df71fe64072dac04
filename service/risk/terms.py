"""What stands between one buyer and the suppliers that are scored, row by row, and the partner factors it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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
        return Terms(
            tier=self.tier[rows].copy(),
            restriction=self.restriction[rows].copy(),
            rate=self.rate[rows].copy(),
            rated=self.rated[rows].copy(),
            relieved=self.relieved[rows].copy(),
        )

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
        factors = tau.take(self.tier[rows], axis=0)
        bites = np.flatnonzero(self.restricted[rows])
        if bites.size:
            rated, rate, kind = (each[rows][bites] for each in (self.rated, self.rate, self.restriction))
            strength = np.where(rated[:, None], rate[:, None], r[kind])
            factors[bites] *= strength.astype(tau.dtype, copy=False)
        return factors
