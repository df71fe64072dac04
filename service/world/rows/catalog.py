"""What there is by name: sources, countries, minerals, official lists and blocs."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from schemas.text import ALPHA_2, Code, Party, Slug
from service.world.rows.base import Cited, EvidenceLevel, PartialDate, Row, Stage, Text


class Source(Row, frozen=True, kw_only=True):
    """One edition of one publication. `precedence` breaks ties between sources, 1 first."""

    kind = "source"
    key = ("id",)
    id: Slug
    title: Text
    publisher: Text
    edition: Text = ""
    published: PartialDate | None = None
    retrieved: PartialDate
    url: Text = ""
    licence: Text
    attribution: Text = ""
    evidence_level: EvidenceLevel
    precedence: Annotated[int, Meta(ge=1, le=1000)]
    note: Text = ""


class Country(Cited, frozen=True, kw_only=True):
    """A country; `aliases` are the names sources print for it."""

    kind = "country"
    key = ("code",)
    refers = {"source": ("source",)}
    code: Code
    alpha_2: Annotated[str, Meta(pattern=ALPHA_2)]
    name: Text
    official_name: Text = ""
    aliases: tuple[str, ...] = ()


class Mineral(Cited, frozen=True, kw_only=True):
    """A mineral or a group of them; `stages` are those known to exist, with or without data."""

    kind = "mineral"
    key = ("id",)
    refers = {"source": ("source",), "members": ("mineral",)}
    id: Slug
    name_en: Text
    name_de: Text
    symbol: Text = ""
    group: Text = ""
    stages: tuple[Stage, ...]
    members: tuple[Slug, ...] = ()
    uses: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


class Listing(Cited, frozen=True, kw_only=True):
    """A mineral's place on an official list of `owner` (a country or a bloc)."""

    kind = "listing"
    key = ("list", "mineral", "status")
    refers = {"source": ("source",), "owner": ("country", "bloc"), "mineral": ("mineral",)}
    list: Slug
    owner: Party
    mineral: Slug
    status: Literal["critical", "strategic"]
    printed: Text
    valid_from: PartialDate
    valid_to: PartialDate | None = None


class Bloc(Cited, frozen=True, kw_only=True):
    """A group of countries. Members of a single market or a customs union are tied by that alone."""

    kind = "bloc"
    key = ("id",)
    refers = {"source": ("source",), "successor": ("bloc",)}
    id: Party
    name: Text
    type: Literal["single_market", "customs_union", "forum", "group"]
    successor: Party | None = None


class Membership(Cited, frozen=True, kw_only=True):
    """A country's dated membership of a bloc; `valid_to` is the first day outside."""

    kind = "membership"
    key = ("bloc", "country", "valid_from")
    refers = {"source": ("source",), "bloc": ("bloc",), "country": ("country",)}
    bloc: Party
    country: Code
    valid_from: PartialDate
    valid_to: PartialDate | None = None
