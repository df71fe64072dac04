"""How a mineral's score moved: over the years, and over what the ledger came to know."""

from __future__ import annotations

from datetime import date, datetime

from msgspec import Struct

from schemas.common import Band, Page, Stage
from schemas.score import Points, Status


class HistoryPoint(Struct, frozen=True, kw_only=True):
    """A mineral's score for a buyer on one day, as one revision of the ledger has it."""

    as_of: date
    known_at: int
    committed_at: datetime
    """When that revision was written."""
    status: Status
    reasons: list[str]
    """Why there is no score."""
    score: Points | None
    band: Band | None
    interval_low: Points | None
    interval_high: Points | None
    value: float | None
    """The score with more digits, so that small moves show."""
    binding_stage: Stage | None
    reference_year: int | None
    """The last year that the binding stage's shares describe; null where the source names none."""
    new_shares: list[Stage]
    """Stages whose shares are not those of the point before: another source or period, or figures corrected."""
    new_governance: bool
    """Whether a supplier's governance weight is not that of the point before."""
    events: list[str]
    """Agreements and restrictions between the buyer and a supplier that began, ended or changed since the point before,
    by their id."""


class HistoryPage(Page[HistoryPoint], frozen=True, kw_only=True):
    """One page of the history of a score."""
