"""What the value of a method is made of, in a form that fits every method."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

Amount = Annotated[float, Meta(ge=0)]


class Term(Struct, frozen=True, kw_only=True):
    """A number that enters a value, or a fact that decides how it is computed."""

    name: str
    value: float | None
    """Null where it is not known, or where the term is a word."""
    unit: str
    text: str
    """As its source prints it, or the word."""
    source: str
    """The source that prints it; empty for what follows from other figures."""
    locator: str


class MixSupplier(Struct, frozen=True, kw_only=True):
    """A country's part in a mix."""

    country: str
    amount: Amount | None
    """In the mix's unit; null where it is withheld."""
    weight: float | None
    """The governance weight the method uses, on its own scale; null where it has none."""
    factor: float | None
    """The method's other factor, such as the EU's trade parameter; null where it has none."""
    contribution: Amount


class SupplyMix(Struct, frozen=True, kw_only=True):
    """A mix of suppliers that enters a value: each contribution follows from `formula`, and `total` is their sum."""

    of: Literal["world_supply", "own_supply", "world_production", "imports", "available_supply"]
    source: str
    period: str
    unit: str
    formula: str
    total: Amount
    suppliers: list[MixSupplier]
    """Largest first."""
