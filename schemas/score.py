"""The score of a mineral for a buyer, and what it is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from schemas.change import Steps
from schemas.common import Answer, Band, Fraction, Page, Stage, Tie
from schemas.method import SupplyMix, Term

Points = Annotated[float, Meta(ge=0, le=100)]
Status = Literal["scored", "insufficient_data"]


class MethodRef(Struct, frozen=True, kw_only=True):
    """A method and the version of it that was used."""

    id: str
    version: int


class Range(Struct, frozen=True, kw_only=True):
    """A range of scores."""

    low: Points
    high: Points


class IntervalParts(Struct, frozen=True, kw_only=True):
    """The interval if only one thing were uncertain."""

    inputs: Range
    """Only the figures: shares, what the source leaves unreported, governance."""
    design: Range
    """Only the ladder of ties and restrictions, which is a convention."""


class Interval(Struct, frozen=True, kw_only=True):
    """The range the score lies in with probability `level`, given what is uncertain; it always holds the score."""

    low: Points
    high: Points
    level: Fraction
    parts: IntervalParts


class Concentration(Struct, frozen=True, kw_only=True):
    """How concentrated the stage's output is, whoever buys."""

    hhi: Fraction | None
    """Herfindahl-Hirschman index of the named shares, 0..1 (times 10,000 on the other common scale)."""
    hhi_low: Fraction
    """With the unreported remainder spread over countless suppliers."""
    hhi_high: Fraction
    """With the unreported remainder held by one supplier."""
    effective_suppliers: float | None
    """1 / HHI: how many equal suppliers would be as concentrated; null where no share is named."""
    top_country: str | None
    top_share: Fraction | None
    named_share: Annotated[float, Meta(ge=0)]
    """The part of world output the source names; slightly above 1 where rounded shares are printed."""


class PartnerCoverage(Struct, frozen=True, kw_only=True):
    """How the world's output splits by the tie this buyer has to where it comes from; all but `restricted` sum to 1."""

    home: Fraction
    single_market: Fraction
    binding: Fraction
    """Binding agreements, in force or signed."""
    programme: Fraction
    memorandum: Fraction
    forum: Fraction
    none: Fraction
    unreported: Fraction
    restricted: Fraction
    """Across all ties: output under an export restriction that hits this buyer."""


class Supplier(Struct, frozen=True, kw_only=True):
    """A country's part in a stage: contribution = share² · governance · partner_factor."""

    country: str
    share: Fraction
    governance: Fraction | None
    """Governance weight g, 1 = worst; null where no figure exists, and then it adds nothing to the score."""
    partner_factor: Annotated[float, Meta(ge=0)]
    """t: below 1 for a tie, above 1 for a restriction."""
    tie: Tie
    agreement: str | None
    """The agreement that makes the tie."""
    restriction: str | None
    """The export restriction that counts."""
    contribution: Annotated[float, Meta(ge=0)]


class Holding(Struct, frozen=True, kw_only=True):
    """What one country owns of another's capacity, or has committed to it of another's output."""

    host: str
    controller: str
    part: Fraction
    """Of the host's capacity or output."""
    share: Fraction
    """The same as a fraction of world output."""
    year: int
    source: str
    evidence_level: str


class OwnSupply(Struct, frozen=True, kw_only=True):
    """The buyer's own supply in a stage's H: H = h_world · import_reliance/2 + h_own · (1 − import_reliance/2)."""

    counted: bool
    """False where less than half of it is both named and governed: the world's supply then counts alone."""
    of: Literal["supply", "imports"]
    """What the source counts. From imports alone, supply is 1 − import_reliance from home and the rest as imported."""
    source: str
    period: str
    import_reliance: Fraction
    import_reliance_printed: str
    import_reliance_source: str
    import_reliance_year: int
    h_world: Annotated[float, Meta(ge=0)]
    """The sum of the contributions of the stage's `suppliers`."""
    h_own: Annotated[float, Meta(ge=0)]
    """The sum of the contributions of the suppliers below."""
    suppliers: list[Supplier]
    """Largest share of the buyer's supply first."""


class StageScore(Struct, frozen=True, kw_only=True):
    """A stage's score: 100 · min(1, √H), H the sum of the suppliers' contributions.

    That is `partner-adjusted`. Other methods give `value`, and say in `terms` and `mixes` what it is made of.
    """

    stage: Stage
    status: Status
    reasons: list[str]
    """Why there is no score."""
    score: Points | None
    """Null also where the method has a scale of its own."""
    band: Band | None
    interval: Interval | None
    value: float | None
    """On the method's own scale, in the answer's `unit`."""
    reference_year: int | None
    """The last year of the period the shares describe; null where the source names none."""
    period: str | None
    """The period as first and last year, `2016-2020`."""
    sources: list[str]
    """The sources of the figures used: shares first, then governance."""
    risk_concentration: Annotated[float, Meta(ge=0)] | None
    """H: concentration weighted by governance and partner factor."""
    own_supply: OwnSupply | None
    """The buyer's own supply, where `mix` is `sourcing` and the ledger knows it."""
    concentration: Concentration | None
    partner_coverage: PartnerCoverage | None
    suppliers: list[Supplier]
    """Largest share first."""
    ownership: list[Holding] = field(default_factory=list)
    """Capacity others own, where a source says so: `attribution=control` counts it as theirs."""
    offtake: list[Holding] = field(default_factory=list)
    """Output that is committed, where a source says so. It moves no share."""
    available_to_market: Annotated[float, Meta(ge=0)] | None = None
    """The part of world output that is named and not committed to others than the buyer; null where no source says."""
    withheld: list[str]
    """Countries the source names without printing their share."""
    terms: list[Term]
    """What enters the value of a method other than the default."""
    mixes: list[SupplyMix]
    """The suppliers that enter the value of a method other than the default."""
    flags: list[str]


class Standing(Struct, frozen=True, kw_only=True):
    """Where a mineral stands among those that have a score, for this buyer and method, by unrounded scores."""

    rank: Annotated[int, Meta(ge=1)]
    """1 is the riskiest; minerals of equal score share the better rank, and the next rank counts them all."""
    of: Annotated[int, Meta(ge=1)]
    """How many minerals have a score."""
    percentile: Annotated[float, Meta(ge=0, lt=100)]
    """Percent of those whose score is lower: 100 · (how many are lower) / `of`. 0 is the least risky."""


class Score(Answer, frozen=True, kw_only=True):
    """How risky it is for a buyer to depend on a mineral, and why."""

    mineral: str
    buyer: str
    method: MethodRef
    attribution: Literal["territory", "control"] = "territory"
    """Whose output counts as whose: of the country in which it stands, or of who owns the capacity."""
    ladder: Steps = field(default_factory=dict)
    """Steps of the ladder of ties and restrictions that the request has set."""
    mix: Literal["world", "sourcing"] | None
    """Whose supply counts: the world's alone, or the buyer's own beside it where the ledger knows it.

    Null for methods other than `partner-adjusted`: what they count is in `mixes`.
    """
    status: Status
    reasons: list[str]
    """Why there is no score."""
    score: Points | None
    """60 means: as if 60 % of the world's output came from one worst-governed foreign country without a tie.

    Null also for every method but `partner-adjusted`: they have scales of their own.
    """
    band: Band | None
    interval: Interval | None
    value: float | None
    """The method's value in `unit`; of `partner-adjusted` the score with more digits."""
    unit: str
    """What `value` is in: `points` (0..100), `SR` (the EU's supply risk) or `fraction` (0..1)."""
    standing: Standing | None
    """Where the mineral stands among all that have a score; null where it has none."""
    binding_stage: Stage | None
    """The stage that gives the score: the one with the higher risk."""
    stages: list[StageScore]
    terms: list[Term]
    """What concerns the mineral and no stage alone, such as the year of the EU's list."""
    flags: list[str]
    """What to know before relying on the score; every code is described under `/v1/methods`."""


class ScoreRow(Struct, frozen=True, kw_only=True):
    """A mineral's score in a list; the full account is at `/v1/minerals/{mineral}/score`."""

    mineral: str
    name: str
    status: Status
    score: Points | None
    band: Band | None
    interval_low: Points | None
    interval_high: Points | None
    value: float | None
    unit: str
    rank: Annotated[int, Meta(ge=1)] | None
    """Among all minerals that have a score for this buyer and method, listed or not; 1 is the riskiest."""
    binding_stage: Stage | None
    reference_year: int | None
    top_country: str | None
    top_share: Fraction | None
    attribution: Literal["territory", "control"] = "territory"
    flags: list[str]


class ScorePage(Page[ScoreRow], frozen=True, kw_only=True):
    """One page of scores."""
