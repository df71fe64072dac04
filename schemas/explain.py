"""Everything a score is made of: enough to work it out again from this document alone.

Numbers here are not rounded. `tests/verification/recompute.py` is a short program that recomputes the score.
"""

from __future__ import annotations

from datetime import date
from typing import Literal

from msgspec import Struct

from schemas.catalog import SourceItem
from schemas.common import Answer, Band, SourceRef, Stage, Tie
from schemas.explain_ties import AgreementConsidered, BlocMembers, Reading, RestrictionConsidered
from schemas.score import Interval, MethodRef, Status

ShareSetFate = Literal["counts", "not_ended", "names_too_little", "older_period", "lower_precedence", "names_less"]


class FlagMeaning(Struct, frozen=True, kw_only=True):
    """A flag and what it says."""

    flag: str
    meaning: str


class BandLimit(Struct, frozen=True, kw_only=True):
    """A band and the score below which it ends."""

    band: Band
    below: float | None
    """Null for the last band."""


class LadderStep(Struct, frozen=True, kw_only=True):
    """A step of the ladder: τ of a tie, or r of a restriction."""

    step: str
    central: float
    """What the score uses; `low` and `high` widen its interval."""
    low: float
    high: float


class Rules(Struct, frozen=True, kw_only=True):
    """The constants of the method."""

    formula: str
    full_share: float
    """A share set that names this part of output or more is preferred for being newer."""
    sufficient_share: float
    """A stage is scored where this part of output is both named and governed."""
    governance_years: int
    """Governance is the mean of the latest so many years that had ended by the day and are complete."""
    governance_bound: float
    """W = 2 · (bound − mean of the six estimates), g = W / 10."""
    share_digits: int
    """Decimals of shares; sums off by less than their joint rounding are not off."""
    ties: list[LadderStep]
    """Strongest first."""
    restrictions: list[LadderStep]
    bands: list[BandLimit]
    draws: int
    """How often every input was drawn for the interval."""
    seed: int


class IndicatorUsed(Struct, frozen=True, kw_only=True):
    """One Worldwide Governance Indicators estimate, −2.5 (worst) to 2.5 by theory."""

    year: int
    dimension: str
    estimate: float
    standard_error: float | None
    locator: str


class CountryGovernance(Struct, frozen=True, kw_only=True):
    """A country's governance: the estimates of the years that could count, and what follows from them."""

    country: str
    indicators: list[IndicatorUsed]
    years: list[int]
    """The years with all six estimates, whose mean counts."""
    w: float | None
    """W, 0..10, 10 = worst, the EU's scale; null without a complete year."""
    g: float | None
    """W / 10: what enters the score."""
    standard_error: float | None
    """Of g: it widens the interval only."""


class ReleaseConsidered(Struct, frozen=True, kw_only=True):
    """A release of the governance indicators and whether it counts; releases are never mixed."""

    source: str
    outcome: Literal["counts", "older_release"]


class GovernanceUsed(Struct, frozen=True, kw_only=True):
    """Governance of every supplier of the mineral."""

    releases: list[ReleaseConsidered]
    years: list[int]
    """The years that could count on the day."""
    unit: str
    countries: list[CountryGovernance]


class SupplierUsed(Struct, frozen=True, kw_only=True):
    """A supplier of a stage: what is printed, what was read, and what it adds to H.

    A bloc as buyer takes the weakest tie of its `readings`, and the strongest restriction.
    """

    country: str
    share: float | None
    """As read, a fraction of world output; null where the source withholds it."""
    printed: str
    """As printed."""
    quantity: float | None
    total: float | None
    """World output, where the source prints amounts: share = quantity / total."""
    unit: str
    basis: str
    qualifier: str
    share_standard_error: float
    """Relative to the supplier's own output; it widens the interval only."""
    source: SourceRef
    w: float | None
    g: float | None
    tie: Tie
    agreement: str | None
    restriction: str | None
    tau: float
    r: float
    rho: float
    t: float
    """τ · (1 + (r − 1) · (1 − ρ))."""
    contribution: float
    """share² · g · t; 0 where share or g is not known."""
    readings: list[Reading]


class RowConsidered(Struct, frozen=True, kw_only=True):
    """A share as a source prints it."""

    country: str
    share: float | None
    printed: str
    qualifier: str
    locator: str


class ShareSetConsidered(Struct, frozen=True, kw_only=True):
    """One source's picture of the stage in one period, and why it counts or does not."""

    source: str
    precedence: int
    """Of the source: of equally good sets the one with the smallest counts."""
    period_start: int | None
    period_end: int | None
    counts_from: date
    """The day from which it can count: the last of its period, or the day its source appeared."""
    named_share: float
    outcome: ShareSetFate
    """`not_ended`: its period had not ended by the day. `names_too_little`: others name `full_share` or more, it does
    not. `older_period`, `lower_precedence`: one that names as much is newer, or equally new and of a better source.
    `names_less`: no set names `full_share`, and another names more."""
    rows: list[RowConsidered]


class StageExplained(Struct, frozen=True, kw_only=True):
    """A stage's score and all that enters it."""

    stage: Stage
    status: Status
    reasons: list[str]
    named_share: float
    named_and_governed: float
    """The part of output that is both named and governed."""
    remainder: float
    """1 − the named shares: it adds nothing to H."""
    h: float | None
    """H, the sum of the contributions; null without shares."""
    root: float | None
    """√H."""
    score: float | None
    """100 · min(1, √H), not rounded; null where the figures do not suffice."""
    interval: Interval | None
    flags: list[FlagMeaning]
    share_sets: list[ShareSetConsidered]
    suppliers: list[SupplierUsed]
    """Those of the set that counts, largest share first."""


class Explanation(Answer, frozen=True, kw_only=True):
    """A score with every input that entered, those considered and not chosen, and all values in between."""

    mineral: str
    buyer: str
    method: MethodRef
    status: Status
    score: float | None
    """The highest of the stages' scores, not rounded."""
    band: Band | None
    binding_stage: Stage | None
    interval: Interval | None
    flags: list[FlagMeaning]
    readers: list[str]
    """The countries through whose eyes suppliers are read: the buyer, or the members of the buying bloc."""
    rules: Rules
    stages: list[StageExplained]
    governance: GovernanceUsed
    agreements: list[AgreementConsidered]
    restrictions: list[RestrictionConsidered]
    blocs: list[BlocMembers]
    sources: list[SourceItem]
    """Every source cited above: edition, licence, when it was retrieved and how good it is as evidence."""
