"""The kinds of evidence, one Struct each: the columns of the ledger table, of the CSV form, and the World's input.

A row's `key` names what it speaks about; a newer row with the same key replaces the older one from its revision on.
Nothing here knows Postgres or CSV: the store and the intake both read these definitions.
"""

from __future__ import annotations

from service.world.rows.base import Cited, EvidenceLevel, PartialDate, Row, Stage
from service.world.rows.catalog import Bloc, Country, Listing, Membership, Mineral, Source
from service.world.rows.figures import (
    Governance,
    Parameter,
    Production,
    Rating,
    Reliance,
    Reserve,
    Share,
    Sourcing,
    TariffLine,
    Trade,
)
from service.world.rows.reports import Claim, Deposit
from service.world.rows.ties import (
    Agreement,
    Control,
    Provision,
    ProvisionType,
    Restriction,
    RestrictionType,
)

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
    Provision,
    Restriction,
    Control,
    Sourcing,
    Reliance,
    Parameter,
    Rating,
    Production,
    Trade,
    TariffLine,
    Claim,
    Deposit,
)
"""Every kind of evidence, those referred to before those that refer to them."""

__all__ = [
    "KINDS",
    "Agreement",
    "Bloc",
    "Cited",
    "Claim",
    "Control",
    "Country",
    "Deposit",
    "EvidenceLevel",
    "Governance",
    "Listing",
    "Membership",
    "Mineral",
    "Parameter",
    "PartialDate",
    "Production",
    "Provision",
    "ProvisionType",
    "Rating",
    "Reliance",
    "Reserve",
    "Restriction",
    "RestrictionType",
    "Row",
    "Share",
    "Source",
    "Sourcing",
    "Stage",
    "TariffLine",
    "Trade",
]
