"""What an agreement does to a buyer's scores, and what several do together."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.change import Steps
from schemas.common import Answer, Band, Fraction, Stage, Tie
from schemas.score import MethodRef, Points, Status

Difference = Annotated[float, Meta(ge=-100, le=100)]
FractionChange = Annotated[float, Meta(ge=-1, le=1)]

Reason = Literal[
    "not_a_party",
    "not_in_force",
    "ties_nobody",
    "not_every_member",
    "no_score",
    "another_tie_stands",
    "not_the_binding_stage",
    "adds_nothing",
]
"""Why an agreement has no effect on a score.

not_a_party            it ties this buyer to nobody
not_in_force           on the day it is not signed yet, suspended or ended
ties_nobody            an instrument of its kind lifts restrictions and ties nobody
not_every_member       the buyer is a bloc, read by its weakest member, and not every member is a party
no_score               the mineral has no score for lack of data
another_tie_stands     to every country it ties the buyer to an equal or stronger tie stands; ties never stack
not_the_binding_stage  it moves a stage that does not give the mineral's score
adds_nothing           the suppliers it makes the tie to add nothing to the score
"""


class DifferenceInterval(Struct, frozen=True, kw_only=True):
    """The range of a difference between two scores.

    The figures are drawn, the same draws on both sides; the ladder of ties and restrictions is read at its low, central
    and high values, and the range reaches over all three.
    """

    low: Difference
    high: Difference
    level: Fraction


class Outcome(Struct, frozen=True, kw_only=True):
    """A mineral's score for a buyer, in short."""

    status: Status
    score: Points | None
    band: Band | None
    binding_stage: Stage | None
    flags: list[str]


class CoverageChange(Struct, frozen=True, kw_only=True):
    """By how much each part of `partner_coverage` moves; those across ties, `restricted`, apart, they sum to 0."""

    home: FractionChange
    single_market: FractionChange
    binding: FractionChange
    programme: FractionChange
    memorandum: FractionChange
    forum: FractionChange
    none: FractionChange
    unreported: FractionChange
    restricted: FractionChange


class StageDifference(Struct, frozen=True, kw_only=True):
    """How one stage's score moves."""

    stage: Stage
    before: Points | None
    after: Points | None
    difference: Difference | None
    """After minus before, taken before rounding; three digits, however small."""
    difference_unrounded: Difference | None
    coverage: CoverageChange | None


class SupplierEffect(Struct, frozen=True, kw_only=True):
    """What an agreement does between the buyer and one country it ties it to."""

    country: str
    stage: Stage
    share: Fraction
    counts: bool
    """Whether the agreement makes the tie."""
    tie: Tie
    """The tie as it is."""
    standing: str | None
    """The agreement that makes the tie as it is; null for home, a single market and no tie."""
    tie_without: Tie
    """The tie there would be without the agreement."""
    standing_without: str | None
    partner_factor: Annotated[float, Meta(ge=0)]
    partner_factor_without: Annotated[float, Meta(ge=0)]


class MineralEffect(Struct, frozen=True, kw_only=True):
    """What an agreement does to a mineral's score; `difference` is with it minus without it."""

    mineral: str
    name: str
    without: Outcome
    as_is: Outcome
    difference: Difference | None
    """With the agreement minus without it, taken before rounding; three digits, however small. Below 0 it helps."""
    difference_unrounded: Difference | None
    interval: DifferenceInterval | None
    reasons: list[Reason]
    """Why the difference is zero or not known, where it is."""
    explanation: str
    """The same in words, with the tie that stands."""
    stages: list[StageDifference]
    suppliers: list[SupplierEffect]


class AgreementEffect(Answer, frozen=True, kw_only=True):
    """Every mineral an agreement touches for a buyer, scored with it and without it."""

    agreement: str
    title: str
    buyer: str
    method: MethodRef
    status: str
    """On the day: `pending`, `signed`, `in_force`, `suspended` or `ended`."""
    tie: Tie
    """The rung of the ladder it amounts to on the day."""
    ladder: Steps
    """Steps of the ladder the request has set to other values."""
    partners: list[str]
    """The countries it ties the buyer to, empty where the buyer is no party."""
    minerals: list[MineralEffect]
    """The minerals it covers that a country it would tie the buyer to supplies."""
    not_supplied: list[str]
    """The minerals it covers that none of them is named to supply: no effect."""


class Part(Struct, frozen=True, kw_only=True):
    """One agreement's part in the difference all of them make together."""

    agreement: str
    title: str
    tie: Tie
    countries: list[str]
    """The suppliers to which it makes the tie, or whose restriction its clause forbids."""
    points: Difference
    points_unrounded: Difference


class AgreementParts(Answer, frozen=True, kw_only=True):
    """A score with all agreements and with none, and each agreement's part in the difference: the parts sum to it.

    Ties never stack, so each supplier's tie is the work of one agreement. The parts follow Aumann and Shapley: as all
    agreements begin to count together, each gets the change of the score in proportion to its part in the change of H.
    Home and single markets are no agreements and stay.
    """

    mineral: str
    buyer: str
    method: MethodRef
    ladder: Steps
    without_agreements: Outcome
    as_is: Outcome
    difference: Difference | None
    difference_unrounded: Difference | None
    parts: list[Part]
    """Largest first."""
