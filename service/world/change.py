"""A change of the ledger: what stood before one of its revisions, what stands since, and what kind of change it is."""

from __future__ import annotations

from msgspec import Struct

from schemas.revisions import RowCause
from service.world.rows import Row


class Change(Struct, frozen=True):
    """One row's change in a revision: what stood before it and what stands since, None for nothing."""

    revision: int
    place: int
    before: Row | None
    after: Row | None
    cause: RowCause

    @property
    def row(self) -> Row:
        """The row there is: the newer one if both."""
        found = self.after or self.before
        assert found is not None
        return found
