"""The kinds of evidence, one Struct each: the columns of the ledger table, of the CSV form, and the World's input.

A row's `key` names what it speaks about; a newer row with the same key replaces the older one from its revision on.
Nothing here knows Postgres or CSV: the store and the intake both read these definitions.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta, Struct

Slug = Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
"""A stable lower-case id: `cobalt`, `us-peru-mou-2026`."""

Code = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
"""A country by its ISO 3166 alpha-3 code (Kosovo: XKX)."""

Party = Annotated[str, Meta(pattern=r"^[A-Z][A-Z0-9]*(-[A-Z0-9]+)*$", max_length=40)]
"""A country's alpha-3 code or a bloc's id, both in capitals: `PER`, `EU`, `FORGE`."""

PartialDate = Annotated[str, Meta(pattern=r"^\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01]))?)?$")]
"""A date as precisely as its source gives it: `2026-02-04`, `2025-02` or `2009`."""

Year = Annotated[int, Meta(ge=1900, le=2100)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
NonNegative = Annotated[float, Meta(ge=0)]
Text = Annotated[str, Meta(max_length=4000)]
Stage = Literal["extraction", "processing"]
Binding = Literal["yes", "no", "not_stated"]
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
    alpha_2: Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
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


class Share(Cited, frozen=True, kw_only=True):
    """A country's share (0..1) of world output of a mineral at a stage in a period.

    `printed` is the value as the source prints it; `share` is None where the source withholds it.
    Where the source prints amounts, `share` is `quantity` / `total` rounded to six decimals.
    A period of None is a source that names no year.
    """

    kind = "share"
    key = ("source", "mineral", "stage", "period_start", "period_end", "country")
    refers = {"source": ("source",), "mineral": ("mineral",), "country": ("country",)}
    mineral: Slug
    stage: Stage
    period_start: Year | None = None
    period_end: Year | None = None
    country: Code
    share: Fraction | None = None
    printed: Text
    quantity: NonNegative | None = None
    total: NonNegative | None = None
    unit: Text = ""
    basis: Text = ""
    qualifier: Literal["", "estimated", "below", "withheld", "not_available", "included_elsewhere"] = ""


class Reserve(Cited, frozen=True, kw_only=True):
    """What a source counts as a country's reserves of a mineral, in `unit` of `basis`."""

    kind = "reserve"
    key = ("source", "mineral", "country", "year", "basis")
    refers = {"source": ("source",), "mineral": ("mineral",), "country": ("country",)}
    mineral: Slug
    country: Code
    year: Year
    quantity: NonNegative | None = None
    printed: Text
    unit: Text
    basis: Text = ""
    qualifier: Literal["", "estimated", "above", "below", "withheld", "not_available", "small"] = ""


class Governance(Cited, frozen=True, kw_only=True):
    """One Worldwide Governance Indicators estimate (−2.5 worst .. 2.5 best, by theory) and its standard error."""

    kind = "governance"
    key = ("source", "country", "dimension", "year")
    refers = {"source": ("source",), "country": ("country",)}
    country: Code
    dimension: Literal["cc", "ge", "pv", "rl", "rq", "va"]
    year: Year
    estimate: Annotated[float, Meta(ge=-5, le=5)]
    stderr: NonNegative | None = None


AgreementType = Literal[
    "trade_agreement",
    "executive_agreement",
    "framework",
    "action_plan",
    "strategic_partnership",
    "memorandum",
    "letter_of_intent",
    "joint_statement",
    "forum",
    "relief",
]
Provision = Literal[
    "no_export_restriction",
    "price_floor",
    "minimum_import_price",
    "offtake",
    "finance",
    "logistics",
    "stockpiling",
    "mapping",
    "recycling",
    "investment_screening",
    "investment_facilitation",
    "information",
    "standards",
    "permitting",
    "project_development",
    "research",
    "right_of_first_offer",
]


class Agreement(Cited, frozen=True, kw_only=True):
    """An instrument between countries or blocs.

    `scope` `all` covers every mineral, `critical` those on a party's list of critical minerals on the day,
    `named` those in `minerals`. An empty `stages` covers both. A `relief` lifts restrictions and ties nobody.
    An instrument whose only party is a bloc ties that bloc's members with each other.
    """

    kind = "agreement"
    key = ("id",)
    refers = {
        "source": ("source",),
        "parties": ("country", "bloc"),
        "minerals": ("mineral",),
        "successor": ("agreement",),
    }
    id: Slug
    title: Text
    type: AgreementType
    binding: Binding
    parties: tuple[Party, ...]
    signed: PartialDate | None = None
    in_force: PartialDate | None = None
    suspended: PartialDate | None = None
    resumed: PartialDate | None = None
    ended: PartialDate | None = None
    scope: Literal["all", "critical", "named"]
    minerals: tuple[Slug, ...] = ()
    stages: tuple[Stage, ...] = ()
    provisions: tuple[Provision, ...] = ()
    successor: Slug | None = None
    evidence_level: EvidenceLevel
    printed: Text = ""
    """What the source says of the instrument's subject, in its words or close to them."""


class Restriction(Cited, frozen=True, kw_only=True):
    """A country's restriction on exporting a mineral at some stages; an empty `targets` hits every buyer.

    `factor` is the strength r where the source gives a rate, else None and the method's ladder decides.
    """

    kind = "restriction"
    key = ("id",)
    refers = {
        "source": ("source",),
        "country": ("country",),
        "mineral": ("mineral",),
        "targets": ("country", "bloc"),
    }
    id: Slug
    country: Code
    type: Literal["licence", "tax", "quota", "ban"]
    mineral: Slug
    stages: tuple[Stage, ...]
    targets: tuple[Party, ...] = ()
    factor: Annotated[float, Meta(ge=1, le=3)] | None = None
    valid_from: PartialDate
    valid_to: PartialDate | None = None
    suspended: PartialDate | None = None
    resumed: PartialDate | None = None
    printed: Text


KINDS: tuple[type[Row], ...] = (
    Source,
    Country,
    Mineral,
    Listing,
    Bloc,
    Membership,
    Share,
    Reserve,
    Governance,
    Agreement,
    Restriction,
)
"""Every kind of evidence, those referred to before those that refer to them."""
