"""Figures: output, trade, reserves, governance, and what studies print about minerals."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from schemas.text import HS6, NAME, Code, Party, Slug
from service.world.rows.base import Cited, Fraction, NonNegative, Stage, Text, Year


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


class Sourcing(Cited, frozen=True, kw_only=True):
    """A country's share (0..1) in what a buyer sources of a mineral at a stage in a period.

    `of` says of what: `supply` counts the buyer's own output too, `imports` only what it imports.
    """

    kind = "sourcing"
    key = ("source", "buyer", "mineral", "stage", "period_start", "period_end", "country")
    refers = {
        "source": ("source",),
        "buyer": ("country", "bloc"),
        "mineral": ("mineral",),
        "country": ("country",),
    }
    buyer: Party
    mineral: Slug
    stage: Stage
    of: Literal["supply", "imports"]
    period_start: Year
    period_end: Year
    country: Code
    share: Fraction | None = None
    printed: Text
    basis: Text = ""
    qualifier: Literal["", "estimated", "below", "withheld", "not_available"] = ""


class Reliance(Cited, frozen=True, kw_only=True):
    """A buyer's net import reliance for a mineral at a stage: the part of its use that it imports, 0..1.

    A net exporter's reliance is 0 with the qualifier `net_exporter`; `above` and `below` are bounds as printed.
    """

    kind = "reliance"
    key = ("source", "buyer", "mineral", "stage", "period_start", "period_end")
    refers = {"source": ("source",), "buyer": ("country", "bloc"), "mineral": ("mineral",)}
    buyer: Party
    mineral: Slug
    stage: Stage
    period_start: Year
    period_end: Year
    reliance: Fraction | None = None
    printed: Text
    basis: Text = ""
    qualifier: Literal["", "estimated", "above", "below", "net_exporter", "withheld", "not_available"] = ""


class Parameter(Cited, frozen=True, kw_only=True):
    """A number a study prints as an input of its method, under the method's name for it.

    Such as `eol_rir` (end-of-life recycling input rate), `si_sr` (substitution index), `t` (trade parameter of a
    country), `w` (governance scaled 0..10), `h_gs` and `h_eu` (concentration as printed), `price` (kUSD per tonne).
    `label` is the material as the study names it; `text` is what is printed where it is not a number.
    """

    kind = "parameter"
    key = ("source", "name", "label", "mineral", "stage", "country", "year")
    refers = {"source": ("source",), "mineral": ("mineral",), "country": ("country",)}
    name: Annotated[str, Meta(pattern=NAME, max_length=40)]
    label: Text = ""
    mineral: Slug | None = None
    stage: Stage | None = None
    country: Code | None = None
    year: Year | None = None
    value: Annotated[float, Meta(ge=-1e12, le=1e12)] | None = None
    text: Text = ""
    printed: Text
    unit: Text = ""


class Rating(Cited, frozen=True, kw_only=True):
    """What somebody else's study rated a mineral, as it printed it: a fact beside our scores, never recomputed."""

    kind = "rating"
    key = ("source", "mineral", "label", "measure", "year")
    refers = {"source": ("source",), "mineral": ("mineral",)}
    mineral: Slug
    label: Text
    measure: Literal["supply_risk", "economic_importance", "risk_index", "most_critical"]
    year: Year
    value: Annotated[float, Meta(ge=-1e6, le=1e6)] | None = None
    printed: Text


class Production(Cited, frozen=True, kw_only=True):
    """What a country produced of a commodity in a year, in `unit` of `basis`."""

    kind = "production"
    key = ("source", "commodity", "country", "year")
    refers = {"source": ("source",), "mineral": ("mineral",), "country": ("country",)}
    commodity: Text
    mineral: Slug | None = None
    stage: Stage | None = None
    country: Code
    year: Year
    quantity: NonNegative | None = None
    printed: Text
    unit: Text
    basis: Text = ""
    qualifier: Literal["", "estimated", "provisional", "withheld", "not_available"] = ""


class Trade(Cited, frozen=True, kw_only=True):
    """What one country exported to another under a tariff line in a year: value in kUSD, quantity in tonnes."""

    kind = "trade"
    key = ("source", "code", "year", "exporter", "importer")
    refers = {"source": ("source",), "exporter": ("country",), "importer": ("country",)}
    code: Annotated[str, Meta(pattern=HS6)]
    year: Year
    exporter: Code
    importer: Code
    value: NonNegative | None = None
    quantity: NonNegative | None = None


class TariffLine(Cited, frozen=True, kw_only=True):
    """A tariff line (Harmonized System, six digits) under which a commodity is traded."""

    kind = "tariff_line"
    key = ("source", "commodity", "code")
    refers = {"source": ("source",), "mineral": ("mineral",)}
    commodity: Text
    mineral: Slug | None = None
    stage: Stage | None = None
    code: Annotated[str, Meta(pattern=HS6)]
    edition: Text
    text: Text = ""
