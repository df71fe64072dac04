"""Minerals, countries, blocs, sources, agreements, restrictions and methods as the service lists them."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from schemas.common import Answer, Page, PartialDate, SourceRef, Stage


class ListPlace(Struct, frozen=True, kw_only=True):
    """A place on an official list."""

    list: str
    owner: str
    status: str
    printed: str
    valid_from: PartialDate
    valid_to: PartialDate | None


class MineralItem(Struct, frozen=True, kw_only=True):
    """A mineral in a list."""

    id: str
    name_en: str
    name_de: str
    symbol: str
    group: str
    stages: list[Stage]
    lists: list[str]
    """The official lists it stands on, as of the day asked for."""


class ShareSetInfo(Struct, frozen=True, kw_only=True):
    """A source's picture of a stage in one period, and whether it is the one that counts."""

    stage: Stage
    source: str
    period: str | None
    named_share: float
    countries: int
    chosen: bool


class ReserveInfo(Struct, frozen=True, kw_only=True):
    """Reserves of a mineral in a country, as printed."""

    country: str
    year: int
    quantity: float | None
    printed: str
    unit: str
    basis: str
    source: SourceRef


class MineralDetail(Answer, frozen=True, kw_only=True):
    """A mineral with its lists, the share sets on record and reserves."""

    id: str
    name_en: str
    name_de: str
    symbol: str
    group: str
    stages: list[Stage]
    members: list[str]
    uses: list[str]
    aliases: list[str]
    lists: list[ListPlace]
    share_sets: list[ShareSetInfo]
    reserves: list[ReserveInfo]
    source: SourceRef


class GovernanceInfo(Struct, frozen=True, kw_only=True):
    """A country's governance weight and what it is the mean of."""

    weight: float | None
    """g, 0..1, 1 = worst; null where the release has no complete year for the country."""
    standard_error: float | None
    years: list[int]
    release: str | None


class CountryItem(Struct, frozen=True, kw_only=True):
    """A country in a list."""

    code: str
    alpha_2: str
    name: str
    blocs: list[str]
    governance: GovernanceInfo


class CountryDetail(Answer, frozen=True, kw_only=True):
    """A country with its blocs and governance."""

    code: str
    alpha_2: str
    name: str
    official_name: str
    aliases: list[str]
    blocs: list[str]
    governance: GovernanceInfo
    source: SourceRef


class MemberInfo(Struct, frozen=True, kw_only=True):
    """A dated membership; `valid_to` is the first day outside."""

    country: str
    valid_from: PartialDate
    valid_to: PartialDate | None
    current: bool
    source: SourceRef


class BlocItem(Struct, frozen=True, kw_only=True):
    """A bloc in a list."""

    id: str
    name: str
    type: str
    members: list[str]
    """Members on the day asked for."""


class BlocDetail(Answer, frozen=True, kw_only=True):
    """A bloc with its dated memberships."""

    id: str
    name: str
    type: str
    successor: str | None
    members: list[str]
    memberships: list[MemberInfo]
    source: SourceRef


class AgreementItem(Struct, frozen=True, kw_only=True):
    """An instrument between countries or blocs."""

    id: str
    title: str
    type: str
    binding: str
    """`yes`, `no` or `not_stated`; what is not stated counts as not binding."""
    status: str
    """On the day asked for: `pending`, `signed`, `in_force`, `suspended` or `ended`."""
    tie: str
    """The rung of the ladder it amounts to on that day."""
    parties: list[str]
    signed: PartialDate | None
    in_force: PartialDate | None
    suspended: PartialDate | None
    resumed: PartialDate | None
    ended: PartialDate | None
    scope: str
    minerals: list[str]
    stages: list[Stage]
    provisions: list[str]
    """What its clauses on record are about, see `/v1/agreements/{agreement}` for what they say."""
    successor: str | None
    evidence_level: str
    printed: str
    source: SourceRef


class ProvisionItem(Struct, frozen=True, kw_only=True):
    """What one clause of an agreement says."""

    id: str
    type: str
    binding: str
    """Of the clause itself: `yes`, `no` or `not_stated`. Only `yes` counts."""
    text: str
    quote: str
    """The source's words, where it is an official text."""
    obliges: list[str]
    """The parties it binds; empty for all."""
    minerals: list[str]
    """The minerals it is about; empty for all the agreement covers."""
    amount: float | None
    currency: str
    evidence_level: str
    source: SourceRef
    """With the passage's place in the source as `locator`."""


class AgreementDetail(Answer, frozen=True, kw_only=True):
    """An agreement as of a day, with what its clauses say."""

    agreement: AgreementItem
    provisions: list[ProvisionItem]


class RestrictionItem(Struct, frozen=True, kw_only=True):
    """A country's restriction on exporting a mineral."""

    id: str
    country: str
    type: str
    mineral: str
    stages: list[Stage]
    targets: list[str]
    """The buyers it hits; empty for all."""
    status: str
    """On the day asked for: `pending`, `in_force`, `suspended` or `ended`."""
    factor: float
    """r, the strength that enters the partner factor."""
    valid_from: PartialDate
    valid_to: PartialDate | None
    suspended: PartialDate | None
    resumed: PartialDate | None
    printed: str
    source: SourceRef


class RestrictionDetail(Answer, frozen=True, kw_only=True):
    """A restriction as of a day."""

    restriction: RestrictionItem


class SourceItem(Struct, frozen=True, kw_only=True):
    """One edition of one publication."""

    id: str
    title: str
    publisher: str
    edition: str
    published: PartialDate | None
    retrieved: PartialDate
    url: str
    licence: str
    attribution: str
    evidence_level: str
    precedence: int
    note: str
    rows: dict[str, int]
    """How many rows of each kind of evidence cite it."""


class SourceDetail(Answer, frozen=True, kw_only=True):
    """A source."""

    source: SourceItem


class MethodItem(Struct, frozen=True, kw_only=True):
    """A scoring method."""

    id: str
    version: int
    title: str


class MethodDetail(Struct, frozen=True, kw_only=True):
    """A scoring method with its documentation and parameters."""

    id: str
    version: int
    title: str
    documentation: str
    """Markdown: formula, parameters with units and source, validity, limits."""
    parameters: dict[str, Any]


class MethodList(Struct, frozen=True, kw_only=True):
    """All scoring methods, the default first."""

    items: list[MethodItem]


class AgreementPage(Page[AgreementItem], frozen=True, kw_only=True):
    """One page of agreements."""


class BlocPage(Page[BlocItem], frozen=True, kw_only=True):
    """One page of blocs."""


class CountryPage(Page[CountryItem], frozen=True, kw_only=True):
    """One page of countries."""


class MineralPage(Page[MineralItem], frozen=True, kw_only=True):
    """One page of minerals."""


class RestrictionPage(Page[RestrictionItem], frozen=True, kw_only=True):
    """One page of restrictions."""


class SourcePage(Page[SourceItem], frozen=True, kw_only=True):
    """One page of sources."""
