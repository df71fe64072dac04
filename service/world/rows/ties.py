"""What stands between buyers and suppliers: agreements and their clauses, restrictions, and who controls capacity."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from schemas.text import CURRENCY, Code, Party, Slug
from service.risk.partners import AgreementType, Binding
from service.world.rows.base import Cited, EvidenceLevel, Fraction, NonNegative, PartialDate, Stage, Text, Year

ProvisionType = Literal[
    "bindingness",
    "entry_into_force",
    "discontinuation",
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
    "rapid_response",
    "market_measures",
    "restriction_relief",
]
"""What a clause is about: the instrument itself (how binding it is, when it begins, how it ends), or its substance.

`market_measures` are measures against non-market practices and against restrictions of third countries,
`restriction_relief` is a party's word to suspend or ease restrictions it has.
"""


RestrictionType = Literal["licence", "tax", "quota", "ban"]


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
    successor: Slug | None = None
    evidence_level: EvidenceLevel
    printed: Text = ""
    """What the source says of the instrument's subject, in its words or close to them."""


class Provision(Cited, frozen=True, kw_only=True):
    """What one clause of an agreement says, with its place (`locator`) in the source it was read from.

    `binding` is the clause's own: a pledge in a fact sheet about a treaty is not the treaty's clause. `text` says what
    it holds, `quote` is it in the source's words. `obliges` are the parties it binds, all of them if empty; `minerals`
    are those it is about, all that the agreement covers if empty; `forbids` are the restrictions that a
    `no_export_restriction` rules out, all if empty. `amount` is in `currency`.
    """

    kind = "provision"
    key = ("id",)
    refers = {
        "source": ("source",),
        "agreement": ("agreement",),
        "obliges": ("country", "bloc"),
        "minerals": ("mineral",),
    }
    id: Slug
    agreement: Slug
    type: ProvisionType
    binding: Binding
    text: Text
    quote: Annotated[str, Meta(max_length=300)] = ""
    obliges: tuple[Party, ...] = ()
    minerals: tuple[Slug, ...] = ()
    forbids: tuple[RestrictionType, ...] = ()
    amount: NonNegative | None = None
    currency: Annotated[str, Meta(pattern=CURRENCY)] = ""
    evidence_level: EvidenceLevel


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
    type: RestrictionType
    mineral: Slug
    stages: tuple[Stage, ...]
    targets: tuple[Party, ...] = ()
    factor: Annotated[float, Meta(ge=1, le=3)] | None = None
    valid_from: PartialDate
    valid_to: PartialDate | None = None
    suspended: PartialDate | None = None
    resumed: PartialDate | None = None
    printed: Text


class Control(Cited, frozen=True, kw_only=True):
    """How much of a host country's capacity for a mineral at a stage a country controls, as of a year.

    `share` is a fraction of the host's capacity; several controllers of one host add up to 1 at most, and what is not
    named counts as the host's own. `offtake` is output that is committed to a buyer without being owned.
    """

    kind = "control"
    key = ("source", "mineral", "stage", "host", "controller", "type", "year")
    refers = {
        "source": ("source",),
        "mineral": ("mineral",),
        "host": ("country",),
        "controller": ("country",),
    }
    mineral: Slug
    stage: Stage
    host: Code
    controller: Code
    type: Literal["ownership", "offtake"] = "ownership"
    year: Year
    share: Fraction | None = None
    printed: Text
    evidence_level: EvidenceLevel
