"""Methods side by side, and what others have rated."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.catalog import ListPlace
from schemas.common import Answer, SourceRef, Stage
from schemas.score import MethodRef, Status

Rank = Annotated[int, Meta(ge=1)]
Correlation = Annotated[float, Meta(ge=-1, le=1)]


class MethodValue(Struct, frozen=True, kw_only=True):
    """What one method says of the mineral for the buyer."""

    method: MethodRef
    title: str
    status: Status
    reasons: list[str]
    """Why there is no value."""
    value: float | None
    unit: str
    meaning: str
    """The scale of the value, in words."""
    binding_stage: Stage | None
    rank: Rank | None
    """1 is the riskiest of the minerals the method has a value for; equal values share the better rank."""
    of: int
    """How many minerals the method has a value for."""
    flags: list[str]


class RatingItem(Struct, frozen=True, kw_only=True):
    """What somebody else's study rated the mineral: a fact with its source, never recomputed here."""

    label: str
    """The mineral as the study names it."""
    measure: Literal["supply_risk", "economic_importance", "risk_index", "most_critical"]
    year: int
    value: float | None
    printed: str
    source: SourceRef


class Ratings(Answer, frozen=True, kw_only=True):
    """What others have rated a mineral, and the official lists it is on."""

    mineral: str
    ratings: list[RatingItem]
    """By source, measure and year."""
    lists: list[ListPlace]


class Ranked(Struct, frozen=True, kw_only=True):
    """A mineral's rank under each method."""

    mineral: str
    name: str
    ranks: dict[str, Rank | None]
    """By method; null where it has no value for the mineral."""
    values: dict[str, float | None]


class RankCorrelation(Struct, frozen=True, kw_only=True):
    """How alike two methods order the minerals that both have a value for."""

    methods: list[str]
    spearman: Correlation | None
    """1 the same order, −1 the reverse; null with fewer than three minerals, or where all are equal under a method."""
    minerals: int


class Comparison(Answer, frozen=True, kw_only=True):
    """Methods side by side: for one mineral, or by the ranks they give all of them."""

    buyer: str
    mineral: str | None
    """Null where all minerals are ranked."""
    methods: list[MethodValue]
    """What each method says of the mineral; empty where all are ranked."""
    ratings: list[RatingItem]
    """What others have rated the mineral; empty where all are ranked."""
    lists: list[ListPlace]
    """The official lists the mineral is on; empty where all are ranked."""
    minerals: list[Ranked]
    """Every mineral's rank under each method, by id; empty for one mineral."""
    correlations: list[RankCorrelation]
    """Of every pair of methods; empty for one mineral."""
