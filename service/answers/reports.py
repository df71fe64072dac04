"""Control, claims and deposits as the wire contract has them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas import reports as wire
from service.answers.catalog import cite

if TYPE_CHECKING:
    from service.world.rows import Claim, Control, Deposit
    from service.world.world import World

_PAGES = {
    "agreement": ("agreements", 0),
    "bloc": ("blocs", 0),
    "country": ("countries", 0),
    "deposit": ("deposits", 0),
    "listing": ("minerals", 1),
    "membership": ("blocs", 0),
    "mineral": ("minerals", 0),
    "reserve": ("minerals", 1),
    "restriction": ("restrictions", 0),
    "share": ("minerals", 1),
    "source": ("sources", 0),
}
"""The resource that shows a kind of evidence, and which part of the row's key names it there."""


def control_item(control: Control) -> wire.ControlItem:
    """Who controls a host's capacity."""
    return wire.ControlItem(
        mineral=control.mineral,
        stage=control.stage,
        host=control.host,
        controller=control.controller,
        type=control.type,
        year=control.year,
        share=control.share,
        printed=control.printed,
        evidence_level=control.evidence_level,
        source=cite(control),
    )


def claim_item(claim: Claim) -> wire.ClaimItem:
    """A statement of a source."""
    return wire.ClaimItem(
        id=claim.id,
        made=claim.made,
        subject=claim.subject,
        statement=claim.statement,
        value=claim.value,
        unit=claim.unit,
        evidence_level=claim.evidence_level,
        shown_in=list(claim.shown_in),
        source=cite(claim),
    )


def evidence_ref(world: World, entry: str) -> wire.EvidenceRef:
    """The row that an entry `kind:key` of `shown_in` names, and where the service shows it."""
    kind, key = entry.split(":", 1)
    return wire.EvidenceRef(kind=kind, key=key, href=_href(world, kind, key.split("/")))


def _href(world: World, kind: str, parts: list[str]) -> str | None:
    if kind == "provision":
        found = (clause for clauses in world.provisions.values() for clause in clauses if clause.id == parts[0])
        return next((f"/v1/agreements/{clause.agreement}" for clause in found), None)
    if kind == "control":
        return f"/v1/controls?mineral={parts[1]}"
    if kind not in _PAGES:
        return None
    resource, place = _PAGES[kind]
    return f"/v1/{resource}/{parts[place]}"


def deposit_item(deposit: Deposit) -> wire.DepositItem:
    """A deposit with its caveats."""
    return wire.DepositItem(
        id=deposit.id,
        name=deposit.name,
        country=deposit.country,
        place=deposit.place,
        minerals=list(deposit.minerals),
        stage=deposit.stage,
        status=deposit.status,
        start=deposit.start,
        capacity=deposit.capacity,
        unit=deposit.unit,
        basis=deposit.basis,
        resource=deposit.resource,
        caveats=list(deposit.caveats),
        printed=deposit.printed,
        evidence_level=deposit.evidence_level,
        source=cite(deposit),
    )
