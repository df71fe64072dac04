"""A change of the ledger: what stood before one of its revisions, what stands since, and what kind of change it is."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from service.world.rows import Row

Cause = Literal[
    "new_year",
    "new_source",
    "addition",
    "correction",
    "agreement",
    "restriction",
    "governance",
    "membership",
    "listing",
    "catalog",
    "retraction",
]
"""What a change of a row is; the wire contract says what each means (`schemas.revisions.ChangeEntry`)."""


class Change(Struct, frozen=True):
    """One row's change in a revision: what stood before it and what stands since, None for nothing."""

    revision: int
    place: int
    before: Row | None
    after: Row | None
    cause: Cause

    @property
    def row(self) -> Row:
        """The row there is: the newer one if both."""
        found = self.after or self.before
        assert found is not None
        return found
