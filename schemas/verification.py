"""Our values against those that the authors of a method have published."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.common import Answer, Stage
from schemas.score import MethodRef

Verdict = Literal["exact", "within_rounding", "known_mismatch", "mismatch", "predicted", "not_computable"]


class VerificationRow(Struct, frozen=True, kw_only=True):
    """One row of a published table beside ours, with the names of that table."""

    method: str
    vintage: int
    """The year of the list or table."""
    material: str
    stage: Stage | None
    """Null where the table does not tell stages apart."""
    buyer: str
    published: float | None
    """Null where it is not known here: nothing stands in for it."""
    computed: float | None
    """Unrounded; null where the ledger lacks figures the method needs."""
    difference: float | None
    """Computed less published."""
    verdict: Verdict
    reason: str
    """Of a known mismatch, of a value to be wary of, or why there is none."""
    group: bool
    """Whether the row is the mean of others."""
    low: float | None
    """The least that can stand behind the printed inputs, the published value's rounding included."""
    high: float | None
    """The most that can."""


class VerificationTally(Struct, frozen=True, kw_only=True):
    """How the rows of one table stand, groups left out."""

    vintage: int
    rows: int
    published: int
    """Rows whose published value is known here; the counts below are of these."""
    exact: int
    within_rounding: int
    """Exact ones included."""
    within_tenth: int
    within_two_tenths: int
    same_side_of_threshold: int
    """On the same side of the EU's threshold of 1.0 as published."""
    predicted: int
    """Rows without a known published value."""
    not_computable: int


class ListRuleCount(Struct, frozen=True, kw_only=True):
    """How many materials the EU's list rule makes critical, by published supply risks and ours where none is known."""

    year: int
    published: int
    """How many it gives by published values alone."""
    computed: int
    critical: list[str]
    open: list[str]
    """Minerals that change sides within the rounding of the printed inputs."""


class Verification(Answer, frozen=True, kw_only=True):
    """A method's verification over all rows of what its authors have published."""

    method: MethodRef
    note: str
    """Why there are no rows, where there are none."""
    verdicts: dict[str, int]
    """How many rows have each verdict."""
    meanings: dict[str, str]
    """What each verdict means."""
    tallies: list[VerificationTally]
    list_rule: list[ListRuleCount]
    rows: list[VerificationRow]
