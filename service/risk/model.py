"""What goes into the scoring core and what comes out: rows of suppliers, stage after stage, and the results.

Many stages of many minerals are scored in one call. Rows stand stage after stage; a single stage is a batch of one.
What is not known is said by a mask (`known`, `governed`) and never by a number that stands for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np

from service.risk.concentration import Bounds, bounds
from service.risk.numbers import Bools, Floats, Groups, Ints, numbers
from service.risk.partners import RestrictionType, Tier
from service.risk.terms import Kind, Terms

Status = Literal["scored", "insufficient_data"]
Reason = Literal["no_shares", "less_than_half_named_and_governed"]
"""Why a stage has no score: no share is known, or less than half of output is both named and governed."""

Flag = Literal[
    "unreported_remainder",
    "share_withheld",
    "supplier_without_governance",
    "shares_exceed_one",
    "understated",
]
"""What to keep in mind beside a number.

unreported_remainder         the named shares leave part of output unaccounted for
share_withheld               a supplier is named and its share is not known
supplier_without_governance  a supplier's share is known and its governance is not
shares_exceed_one            the source's shares sum to more than the whole; they are used as printed
understated                  a stage is known to exist and has no score; it may be the one that binds
"""

Band = Literal["low", "moderate", "high", "severe", "extreme"]

SHARE_DIGITS = 6
"""Shares are given to this many decimals; a sum off by less than their joint rounding is not off at all."""


SUFFICIENT = 0.5
"""The part of output that must be both named and governed for a stage to be scored."""


@dataclass(frozen=True)
class Supplier:
    """One supplier of one stage, for building small batches by hand.

    share          fraction 0..1 of world output; None where it is withheld
    governance     governance weight g 0..1, 1 = worst; None where there is no figure
    country        a stable number for the country; the same country has the same number everywhere
    share_sd, governance_sd  one standard error of the share, relative to it, and of the governance weight
    """

    share: float | None
    governance: float | None = None
    country: int = 0
    tier: Tier = Tier.NONE
    restriction: RestrictionType = RestrictionType.NONE
    rate: float | None = None
    relieved: bool = False
    share_sd: float = 0.0
    governance_sd: float = 0.0


@dataclass(frozen=True, eq=False)
class Suppliers:
    """Who supplies each stage: the same for every buyer.

    stages      which stage each row belongs to, rows standing stage after stage; a stage may have no rows
    share       fraction 0..1 of world output, where `known`; ignored elsewhere
    governance  governance weight g 0..1 (1 = worst), where `governed`; ignored elsewhere
    country     a stable number for each row's country

    A row whose share is not known adds nothing to the point value. It is worth handing in all the same: its partner
    factor bounds what the unreported remainder may weigh.
    """

    stages: Groups
    share: Floats
    known: Bools
    governance: Floats
    governed: Bools
    country: Ints

    def __post_init__(self) -> None:
        numbers("share", self.share, 0, 1)
        numbers("governance", self.governance, 0, 1)
        columns = (self.stages.index, self.share, self.known, self.governance, self.governed, self.country)
        if len({len(column) for column in columns}) > 1:
            raise ValueError("the columns of suppliers must be equally long")
        if not self.stages.consecutive:
            raise ValueError("supplier rows must stand stage after stage")

    def only(self, stages: range) -> Suppliers:
        """The suppliers of some neighbouring stages, in arrays of their own: a view would keep all in memory."""
        rows = self.stages.rows(stages)
        return Suppliers(
            stages=self.stages.only(stages),
            share=self.share[rows].copy(),
            known=self.known[rows].copy(),
            governance=self.governance[rows].copy(),
            governed=self.governed[rows].copy(),
            country=self.country[rows].copy(),
        )

    @cached_property
    def known_share(self) -> Floats:
        """The share of each row, 0 where it is not known."""
        return np.where(self.known, self.share, 0.0)

    @cached_property
    def scored_weight(self) -> Floats:
        """s²·g of each row, 0 where share or governance is not known: its contribution at a partner factor of 1."""
        return np.where(self.governed, self.known_share**2 * self.governance, 0.0)

    @cached_property
    def ungoverned(self) -> Bools:
        """Rows with a share and without a governance figure."""
        return (self.known_share > 0) & ~self.governed

    @cached_property
    def withheld(self) -> Ints:
        """The rows whose share is not known."""
        return np.flatnonzero(~self.known)

    @cached_property
    def named(self) -> Floats:
        """The sum of known shares of each stage."""
        return self.stages.sum(self.known_share)

    @cached_property
    def rounding(self) -> Floats:
        """How far the sum of each stage's shares may be off by their rounding alone."""
        return self.stages.sizes.astype(np.float64) * 0.5 * 10.0**-SHARE_DIGITS

    @cached_property
    def named_and_governed(self) -> Floats:
        """The sum of the known shares of each stage whose suppliers have a governance figure."""
        return self.stages.sum(np.where(self.governed, self.known_share, 0.0))

    @cached_property
    def part(self) -> Floats:
        """The part of its stage's output each row is known to have: its share, of their sum where that is beyond 1."""
        return self.known_share / np.maximum(1.0, self.named)[self.stages.index]

    @cached_property
    def sufficient(self) -> Bools:
        """Which stages have enough data for a score."""
        return (self.named_and_governed >= SUFFICIENT - self.rounding) & (self.named > 0)

    @cached_property
    def remainder(self) -> Floats:
        """1 − the named shares of each stage, 0 where they sum to more than 1."""
        return np.maximum(0.0, 1.0 - self.named)

    @cached_property
    def hhi(self) -> Bounds:
        """The bounds of each stage's Herfindahl index."""
        return bounds(self.known_share, self.stages)

    @cached_property
    def top(self) -> Ints:
        """The row of each stage's largest known share, −1 without one; of equals the smallest country number's."""
        order = np.lexsort((self.country, -self.known_share, self.stages.index))
        stage = self.stages.index[order]
        leads = np.ones(len(order), dtype=np.bool_)
        leads[1:] = stage[1:] != stage[:-1]
        top = np.full(self.stages.count, -1, dtype=np.int64)
        top[stage[leads]] = order[leads]
        top[self.named == 0] = -1
        return top

    @cached_property
    def flags(self) -> Mapping[Flag, Bools]:
        """Which stages raise which flag about their figures."""
        return {
            "unreported_remainder": self.remainder > self.rounding,
            "share_withheld": self.stages.any(~self.known),
            "supplier_without_governance": self.stages.any(self.ungoverned),
            "shares_exceed_one": self.named - 1 > self.rounding,
        }


def batch(stages: Sequence[Sequence[Supplier]]) -> tuple[Suppliers, Terms]:
    """Suppliers and terms of a few stages written out by hand."""
    rows = [row for stage in stages for row in stage]
    suppliers = Suppliers(
        stages=Groups.of_sizes([len(stage) for stage in stages]),
        share=np.array([0.0 if row.share is None else row.share for row in rows]),
        known=np.array([row.share is not None for row in rows], dtype=np.bool_),
        governance=np.array([0.0 if row.governance is None else row.governance for row in rows]),
        governed=np.array([row.governance is not None for row in rows], dtype=np.bool_),
        country=np.array([row.country for row in rows], dtype=np.int64),
    )
    terms = Terms.of(Kind(row.tier, row.restriction, row.rate, row.relieved) for row in rows)
    return suppliers, terms


@dataclass(frozen=True)
class Concentration:
    """How few countries hold a stage's output.

    hhi                  Σs² of the known shares, 0..1, as printed by the source; the unreported remainder adds nothing.
                         None without a known share
    hhi_low, hhi_high    what the remainder leaves open: held by countless small suppliers, or by a single one
    hhi_tight            the upper bound if no unnamed supplier is larger than the smallest named one
    effective_suppliers  1/HHI: as many equal suppliers would be as concentrated; None without a known share
    top                  the position of the largest supplier among the stage's rows; None without a known share
    top_share            its share
    named_share          sum of the known shares
    """

    hhi: float | None
    hhi_low: float
    hhi_high: float
    hhi_tight: float
    effective_suppliers: float | None
    top: int | None
    top_share: float | None
    named_share: float


@dataclass(frozen=True)
class StageResult:
    """One stage for one buyer. The contributions, one per supplier row and in their order, add up to `h`.

    `score` is None where the status is `insufficient_data`; `h` and the rest then say what is known all the same.
    """

    status: Status
    reasons: tuple[Reason, ...]
    flags: tuple[Flag, ...]
    score: float | None
    band: Band | None
    h: float
    partner_factors: tuple[float, ...]
    contributions: tuple[float, ...]
    concentration: Concentration
    coverage: Mapping[str, float]


@dataclass(frozen=True)
class MineralResult:
    """One mineral for one buyer: the highest of its stage scores and the stage that gives it.

    `binding_stage` is the stage's position in the batch; of equal stages the first binds.
    """

    status: Status
    reasons: tuple[Reason, ...]
    flags: tuple[Flag, ...]
    score: float | None
    band: Band | None
    binding_stage: int | None
