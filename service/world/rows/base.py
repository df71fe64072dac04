"""What every kind of evidence shares: the types of its fields, its key, and the source it cites."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

from schemas.text import PARTIAL_DATE, Slug

PartialDate = Annotated[str, Meta(pattern=PARTIAL_DATE)]
"""A date as precisely as its source gives it: `2026-02-04`, `2025-02` or `2009`."""

Year = Annotated[int, Meta(ge=1900, le=2100)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
NonNegative = Annotated[float, Meta(ge=0)]
Text = Annotated[str, Meta(max_length=4000)]
Stage = Literal["extraction", "processing"]
EvidenceLevel = Literal[
    "official_text", "official_page", "official_file", "statistics", "study", "secondary_page", "article"
]


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every kind of evidence shares: where it is stored and what identifies it."""

    kind: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    refers: ClassVar[dict[str, tuple[str, ...]]] = {}
    """Fields that name rows of other kinds: any of the kinds listed may hold the name."""


class Cited(Row, frozen=True, kw_only=True):
    """A row that names the source it was read from and where in it."""

    source: Slug
    locator: Text = ""
    note: Text = ""
