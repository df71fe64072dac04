"""Text that has a form: ids, codes and dates, in evidence, questions and bodies alike."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
CODE = r"^[A-Z]{3}$"
PARTY = r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$"
BUYER = rf"{PARTY[:-1]}(,{PARTY[1:-1]}){{0,59}}$"
PARTIAL_DATE = r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$"
CLAIM = r"^[A-Z]\d{2,4}$"
ALPHA_2 = r"^[A-Z]{2}$"
CURRENCY = r"^([A-Z]{3})?$"
NAME = r"^[a-z][a-z0-9_]*$"
HS6 = r"^\d{6}$"
"""A heading of the Harmonized System with its six digits."""

STORABLE = r"^[^\x00]*$"
"""What the database can keep as text."""

Slug = Annotated[str, Meta(pattern=SLUG, max_length=80)]
"""A stable lower-case id: `cobalt`, `us-peru-mou-2026`."""

Code = Annotated[str, Meta(pattern=CODE)]
"""A country by its ISO 3166 alpha-3 code (Kosovo: XKX)."""

Party = Annotated[str, Meta(pattern=PARTY, max_length=40)]
"""A country's alpha-3 code or a bloc's id, both in capitals: `PER`, `EU`, `FORGE`."""
