"""Files brought into the ledger, and revisions taken back."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from schemas.problem import Fault, Problem
from schemas.revisions import RevisionInfo
from schemas.text import STORABLE


class RowCounts(Struct, frozen=True, kw_only=True):
    """What an import does to one kind of evidence."""

    kind: str
    read: int
    """Rows of this kind in the file."""
    added: int
    """Rows that speak of something the ledger had nothing on."""
    changed: int
    """Rows that take the place of others. What is neither added nor changed the ledger held already."""


class PassedOver(Struct, frozen=True, kw_only=True):
    """Lines of a file that are no evidence, and why."""

    reason: str
    lines: int


class MovedScore(Struct, frozen=True, kw_only=True):
    """A score that a dry run shows would move."""

    mineral: str
    buyer: str
    before: float | None
    """Null where there is no score."""
    after: float | None
    difference: float | None
    """Taken before rounding; null where one of both is missing."""


class ImportReport(Struct, frozen=True, kw_only=True):
    """What came of an import."""

    status: Literal["written", "unchanged", "dry_run"]
    """`unchanged`: the ledger holds all of the file already, and no revision was written."""
    revision: RevisionInfo | None
    """The revision written, or the one a dry run would have written; null where nothing is new."""
    rows: list[RowCounts]
    passed_over: list[PassedOver]
    moved: list[MovedScore]
    """Of a dry run: the scores of the buyers asked for that would move."""


class Misfit(Fault, frozen=True, kw_only=True):
    """One thing in a file that is not as its format wants it."""

    line: int
    """The physical line of the file, 1 for the first."""
    column: str
    """As the file names it; empty where the whole line is meant."""
    value: str
    expected: str


class UnreadableFile(Problem, frozen=True, kw_only=True):
    """A file with problems: all of them, up to the first 1,000; nothing was changed."""

    errors: list[Misfit]  # type: ignore[assignment]


class Retraction(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a revision is taken back."""

    reason: Annotated[str, Meta(min_length=1, max_length=4000, pattern=STORABLE, examples=["the wrong edition"])]
    """Kept with the revision that takes it back."""


class RetractionReport(Struct, frozen=True, kw_only=True):
    """What came of taking a revision back."""

    status: Literal["written", "unchanged"]
    """`unchanged`: nothing of what the revision wrote stands any more."""
    revision: RevisionInfo | None
    """The revision that takes the other one back."""
