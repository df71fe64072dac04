"""What moves a mineral's score most."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.common import Answer, Band, Stage
from schemas.score import Interval, MethodRef, Points, Status

Signed = Annotated[float, Meta(ge=-100, le=100)]


class Turn(Struct, frozen=True, kw_only=True):
    """Where the score enters another band."""

    at: float
    """The value of the figure at which it does, all other figures as they are."""
    band: Band


class Lever(Struct, frozen=True, kw_only=True):
    """One thing that moves the score: a figure, an agreement or a restriction.

    `effect` is in points of the score. Of a figure it is the slope: what raising it by `step` would add, as the
    derivative has it. Of an agreement or restriction it is exact: the score with it minus the score without it, all
    others as they are, so that another agreement makes the tie where there is one.
    """

    kind: Literal["share", "governance", "partner_factor", "agreement", "restriction"]
    id: str | None
    """The agreement or restriction; null for a figure."""
    country: str | None
    """The supplier; null for an agreement or restriction."""
    stage: Stage | None
    """Null for what acts on every stage: governance, an agreement, a restriction."""
    binding: bool
    """Whether it acts on the stage that gives the score. The others' effect is 0 until theirs does."""
    value: float | None
    """The figure as it is; null for an agreement or restriction."""
    step: float | None
    """The rise of the figure that `effect` is told for; null for an agreement or restriction."""
    effect: Signed | None
    """Null where the score is 0 and has no slope: there it rises with the root of the figure."""
    stage_effect: Signed | None
    """The same on the score of its own stage, binding or not; null also for an agreement or restriction."""
    up: Turn | None
    """The nearest value at which the score is in the next higher band; null if none can be reached."""
    down: Turn | None
    """The nearest value beyond which it is in the next lower band; null if none can be reached."""
    binds_at: float | None
    """The nearest value at which another stage comes to give the score; null if none can be reached."""
    score_without: Points | None
    """The score without the agreement or restriction; null for a figure."""


class Levers(Answer, frozen=True, kw_only=True):
    """What moves a mineral's score for a buyer, the largest effect first."""

    mineral: str
    buyer: str
    method: MethodRef
    status: Status
    reasons: list[str]
    """Why there is no score, and so no levers."""
    score: Points | None
    band: Band | None
    interval: Interval | None
    binding_stage: Stage | None
    others: Literal["held", "proportional"]
    """What the other suppliers' shares do while one moves: they are held as they are, even where the sum passes 1, or
    they and the unreported remainder give way in proportion, so that the sum stays what it is."""
    levers: list[Lever]
