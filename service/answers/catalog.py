"""Minerals, countries, blocs, sources, agreements and restrictions as the wire contract has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas import catalog as wire
from schemas.common import SourceRef
from service.answers.rounding import share, weight
from service.answers.stamp import stamp
from service.risk.partners import LADDER, RestrictionType, tier_of
from service.world.dates import happened, holds, paused
from service.world.rows import Cited
from service.world.standing import status_on

if TYPE_CHECKING:
    from datetime import date

    from service.world.governance import Weights
    from service.world.rows import Agreement, Listing, Mineral, Provision, Restriction
    from service.world.world import World


def cite(row: Cited) -> SourceRef:
    """Where a row was read."""
    return SourceRef(source=row.source, locator=row.locator, note=row.note)


def places(world: World, mineral: str, on: date) -> list[Listing]:
    """The places a mineral has on official lists in force on a day."""
    return [row for row in world.listings if row.mineral == mineral and holds(row.valid_from, row.valid_to, on)]


def list_places(world: World, mineral: str, on: date) -> list[wire.ListPlace]:
    """The same as the wire contract has them."""
    return [
        wire.ListPlace(
            list=row.list,
            owner=row.owner,
            status=row.status,
            printed=row.printed,
            valid_from=row.valid_from,
            valid_to=row.valid_to,
        )
        for row in places(world, mineral, on)
    ]


def mineral_item(world: World, mineral: Mineral, on: date) -> wire.MineralItem:
    """A mineral in a list."""
    return wire.MineralItem(
        id=mineral.id,
        name_en=mineral.name_en,
        name_de=mineral.name_de,
        symbol=mineral.symbol,
        group=mineral.group,
        stages=list(mineral.stages),
        lists=sorted({row.list for row in places(world, mineral.id, on)}),
    )


def mineral_detail(world: World, mineral: Mineral, on: date) -> wire.MineralDetail:
    """A mineral with all that the ledger has beside scores."""
    return wire.MineralDetail(
        **stamp(world, on),
        id=mineral.id,
        name_en=mineral.name_en,
        name_de=mineral.name_de,
        symbol=mineral.symbol,
        group=mineral.group,
        stages=list(mineral.stages),
        members=list(mineral.members),
        uses=list(mineral.uses),
        aliases=list(mineral.aliases),
        lists=list_places(world, mineral.id, on),
        share_sets=_share_sets(world, mineral.id, on),
        reserves=[
            wire.ReserveInfo(
                country=row.country,
                year=row.year,
                quantity=row.quantity,
                printed=row.printed,
                unit=row.unit,
                basis=row.basis,
                source=cite(row),
            )
            for row in world.reserves
            if row.mineral == mineral.id
        ],
        source=cite(mineral),
    )


def _share_sets(world: World, mineral: str, on: date) -> list[wire.ShareSetInfo]:
    return [
        wire.ShareSetInfo(
            stage=candidate.stage,
            source=candidate.source.id,
            period=candidate.label,
            named_share=share(candidate.named),
            countries=len(candidate.rows),
            chosen=candidate is world.share_set(mineral, candidate.stage, on),
        )
        for stage in ("extraction", "processing")
        for candidate in world.share_sets.get((mineral, stage), ())
    ]


def governance_info(weights: Weights, country: int) -> wire.GovernanceInfo:
    """A country's governance weight, by its place among the World's countries."""
    governed = bool(weights.governed[country])
    return wire.GovernanceInfo(
        weight=weight(weights.weight[country]) if governed else None,
        standard_error=weight(weights.sd[country]) if governed else None,
        years=weights.years_of(country),
        release=weights.release.id if weights.release and governed else None,
    )


def country_item(world: World, code: str, on: date, weights: Weights) -> wire.CountryItem:
    """A country in a list."""
    country = world.countries[code]
    return wire.CountryItem(
        code=code,
        alpha_2=country.alpha_2,
        name=country.name,
        blocs=sorted(world.blocs_of(code, on)),
        governance=governance_info(weights, world.country_index[code]),
    )


def country_detail(world: World, code: str, on: date) -> wire.CountryDetail:
    """A country with its names."""
    country = world.countries[code]
    return wire.CountryDetail(
        **stamp(world, on),
        code=code,
        alpha_2=country.alpha_2,
        name=country.name,
        official_name=country.official_name,
        aliases=list(country.aliases),
        blocs=sorted(world.blocs_of(code, on)),
        governance=governance_info(world.governance.on(on), world.country_index[code]),
        source=cite(country),
    )


def bloc_item(world: World, bloc: str, on: date) -> wire.BlocItem:
    """A bloc in a list, with its members of the day."""
    row = world.blocs[bloc]
    return wire.BlocItem(id=row.id, name=row.name, type=row.type, members=sorted(world.members(bloc, on)))


def bloc_detail(world: World, bloc: str, on: date) -> wire.BlocDetail:
    """A bloc with all its dated memberships."""
    row = world.blocs[bloc]
    return wire.BlocDetail(
        **stamp(world, on),
        id=row.id,
        name=row.name,
        type=row.type,
        successor=row.successor,
        members=sorted(world.members(bloc, on)),
        memberships=[
            wire.MemberInfo(
                country=member.country,
                valid_from=member.valid_from,
                valid_to=member.valid_to,
                current=holds(member.valid_from, member.valid_to, on),
                source=cite(member),
            )
            for member in world.memberships
            if member.bloc == bloc
        ],
        source=cite(row),
    )


def agreement_item(world: World, agreement: Agreement, on: date) -> wire.AgreementItem:
    """An agreement as it stands on a day."""
    status = status_on(agreement, on)
    return wire.AgreementItem(
        id=agreement.id,
        title=agreement.title,
        type=agreement.type,
        binding=agreement.binding,
        status=status,
        tie=tier_of(agreement.type, agreement.binding, status).label,
        parties=list(agreement.parties),
        signed=agreement.signed,
        in_force=agreement.in_force,
        suspended=agreement.suspended,
        resumed=agreement.resumed,
        ended=agreement.ended,
        scope=agreement.scope,
        minerals=list(agreement.minerals),
        stages=list(agreement.stages),
        provisions=sorted({provision.type for provision in world.provisions.get(agreement.id, ())}),
        successor=agreement.successor,
        evidence_level=agreement.evidence_level,
        printed=agreement.printed,
        source=cite(agreement),
    )


def provision_item(provision: Provision) -> wire.ProvisionItem:
    """What a clause of an agreement says."""
    return wire.ProvisionItem(
        id=provision.id,
        type=provision.type,
        binding=provision.binding,
        text=provision.text,
        quote=provision.quote,
        obliges=list(provision.obliges),
        minerals=list(provision.minerals),
        amount=provision.amount,
        currency=provision.currency,
        evidence_level=provision.evidence_level,
        source=cite(provision),
    )


def restriction_status(restriction: Restriction, on: date) -> str:
    """`pending`, `in_force`, `suspended` or `ended`."""
    if happened(restriction.valid_to, on):
        return "ended"
    if paused(restriction.suspended, restriction.resumed, on):
        return "suspended"
    return "in_force" if happened(restriction.valid_from, on) else "pending"


def restriction_item(restriction: Restriction, on: date) -> wire.RestrictionItem:
    """A restriction as it stands on a day."""
    strength = LADDER.r(RestrictionType[restriction.type.upper()], restriction.factor)
    return wire.RestrictionItem(
        id=restriction.id,
        country=restriction.country,
        type=restriction.type,
        mineral=restriction.mineral,
        stages=list(restriction.stages),
        targets=list(restriction.targets),
        status=restriction_status(restriction, on),
        factor=share(strength.central),
        valid_from=restriction.valid_from,
        valid_to=restriction.valid_to,
        suspended=restriction.suspended,
        resumed=restriction.resumed,
        printed=restriction.printed,
        source=cite(restriction),
    )


def source_item(world: World, source: str) -> wire.SourceItem:
    """A source and how much of the evidence cites it."""
    row = world.sources[source]
    return wire.SourceItem(
        id=row.id,
        title=row.title,
        publisher=row.publisher,
        edition=row.edition,
        published=row.published,
        retrieved=row.retrieved,
        url=row.url,
        licence=row.licence,
        attribution=row.attribution,
        evidence_level=row.evidence_level,
        precedence=row.precedence,
        note=row.note,
        rows=dict(sorted(world.cited.get(source, {}).items())),
    )
