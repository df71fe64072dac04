"""What stands between a buyer and suppliers, as explanations tell it: all that was considered and what came of it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from schemas.common import PartialDate, SourceRef, Stage, Tie

AgreementFate = Literal["counts", "not_better", "other_mineral", "other_stage", "no_tie"]
RestrictionFate = Literal["counts", "not_stronger", "other_stage", "other_buyer", "not_in_force"]


class BlocMembers(Struct, frozen=True, kw_only=True):
    """Who belongs to a bloc on the day."""

    bloc: str
    type: str
    """Members of a `single_market` or `customs_union` are tied by that alone."""
    members: list[str]


class ClauseUsed(Struct, frozen=True, kw_only=True):
    """A clause against export restrictions; it lifts them (ρ = 1) where it and its agreement bind and are in force."""

    id: str
    binding: str
    obliges: list[str]
    """The parties it binds; empty for all."""
    minerals: list[str]
    covers_mineral: bool
    """Whether the mineral is among those it names, or it names none."""
    forbids: list[str]
    """The types of restriction it rules out; empty for all."""
    text: str
    evidence_level: str
    source: SourceRef


class AgreementConsidered(Struct, frozen=True, kw_only=True):
    """An agreement that ties the buyer, or a member of the buying bloc, to a supplier."""

    id: str
    title: str
    type: str
    binding: str
    parties: list[str]
    signed: PartialDate | None
    in_force: PartialDate | None
    suspended: PartialDate | None
    resumed: PartialDate | None
    ended: PartialDate | None
    scope: str
    minerals: list[str]
    stages: list[Stage]
    """Empty for both."""
    status: str
    """On the day."""
    tie: Tie
    """The step of the ladder it amounts to with that status."""
    covers_mineral_for: list[str]
    """The readers for whom it covers the mineral: with the scope `critical` that depends on their own list."""
    clauses: list[ClauseUsed]
    evidence_level: str
    printed: str
    source: SourceRef


class RestrictionConsidered(Struct, frozen=True, kw_only=True):
    """A supplier's restriction on exporting the mineral, or a group it belongs to or consists of."""

    id: str
    country: str
    type: str
    mineral: str
    stages: list[Stage]
    targets: list[str]
    """The buyers it hits; empty for all."""
    factor: float | None
    """The strength its source gives; null where the ladder decides."""
    valid_from: PartialDate
    valid_to: PartialDate | None
    suspended: PartialDate | None
    resumed: PartialDate | None
    status: str
    r: float
    printed: str
    source: SourceRef


class AgreementOutcome(Struct, frozen=True, kw_only=True):
    """What became of an agreement when the tie was chosen."""

    id: str
    outcome: AgreementFate
    """`counts`: it makes the tie. `not_better`: another tie is as good or better. `other_mineral`, `other_stage`: it
    does not cover them. `no_tie`: its status or type ties nobody on the day."""


class RestrictionOutcome(Struct, frozen=True, kw_only=True):
    """What became of a restriction when the strongest was chosen."""

    id: str
    outcome: RestrictionFate


class Reading(Struct, frozen=True, kw_only=True):
    """How a supplier stands towards one country: the buyer, or members of the buying bloc that it stands alike to."""

    readers: list[str]
    tie: Tie
    agreement: str | None
    """The agreement that makes the tie; null for home, a market and none."""
    market: str | None
    """The single market or customs union that makes the tie."""
    restriction: str | None
    relieved_by: str | None
    """The agreement of which a binding clause forbids that restriction."""
    agreements: list[AgreementOutcome]
    restrictions: list[RestrictionOutcome]
