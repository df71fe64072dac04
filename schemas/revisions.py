"""The ledger's history: its revisions, and what each of them changed."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from msgspec import Struct

from schemas.common import Answer, Page

RowCause = Literal[
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
"""What a change of a row of evidence is."""

Cause = Literal[RowCause, "rank", "day", "method"]
"""Why an answer reads differently: a row, the lines around it, the day asked for, or the method."""


class FileInfo(Struct, frozen=True, kw_only=True):
    """The file a revision was read from."""

    name: str
    sha256: str
    """Of its bytes, in hexadecimal."""


class RevisionInfo(Struct, frozen=True, kw_only=True):
    """One commit of the ledger."""

    revision: int
    committed_at: datetime
    author: str
    """Who wrote it: a person or program, with the id of the API key that was used."""
    reason: str
    file: FileInfo | None
    """Null where the rows were not read from a file."""
    retracts: int | None
    """The older revision whose rows this one takes back."""
    rows: dict[str, int]
    """How many rows of each kind of evidence it wrote, withdrawals included."""
    data_version: str
    """A hash of the ledger's content as this revision left it."""


class RevisionDetail(Answer, frozen=True, kw_only=True):
    """A commit of the ledger."""

    revision: RevisionInfo


class ChangeEntry(Struct, frozen=True, kw_only=True):
    """One thing that is otherwise since a revision: a row of evidence, or the score of a mineral.

    Setting what `key` names to `after`, or dropping it where that is null, entry by entry, turns what was known at
    `since` into what is known at `known_at`.
    """

    revision: int
    place: int
    """The entry's place in its revision, from 1: evidence first, then scores."""
    what: str
    """A kind of evidence (`share`, `agreement`, …), or `score`."""
    key: dict[str, Any]
    """What names it among its kind."""
    causes: list[Cause]
    """Why: what the row is, or what moved the score.

    `new_year`: figures of a year later than all before. `new_source`: of a source that had said nothing on the subject.
    `addition`: more from a source known before. `correction`: other figures in the place of older ones. `agreement`,
    `restriction`, `governance`, `membership`, `listing`: these changed. `catalog`: a name, a source's rank or a group
    of minerals did. `retraction`: something was withdrawn. `rank`: other minerals' scores moved. `day`: another day is
    asked for than `since_day`. `method`: the method is of another version than `since_version`.
    """
    before: dict[str, Any] | None
    """What stood before: a row as the import forms have it, or the line of `/v1/scores`; null for nothing."""
    after: dict[str, Any] | None


T = TypeVar("T")


class Changes(Answer, Generic[T], frozen=True, kw_only=True):
    """One page of what changed after the revision `since`, up to and with the revision `known_at`."""

    since: int
    items: list[T]
    next: str | None
    """Give it back as `cursor` for the next page; null at the end, from where `since` = `known_at` goes on."""


class RevisionPage(Page[RevisionInfo], frozen=True, kw_only=True):
    """One page of revisions."""
