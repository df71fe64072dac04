"""Agreements signed, brought into force and terminated."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import structs

from schemas.change import BringIntoForce, NewAgreement, Sign, Terminate
from service.world.dates import happened
from service.world.rows import Agreement, Provision
from service.world.scenario.state import SOURCE, ChangeError, State
from service.world.standing import status_on

if TYPE_CHECKING:
    from datetime import date

    from service.world.world import World

_OVER = ("ended", "suspended")


def sign(state: State, change: Sign) -> State:
    """The agreement is signed by the day; what had ended or was suspended stands again as signed."""
    state, row = _found(state, change.agreement)
    on = change.on or state.as_of
    status = status_on(row, on)
    if status in ("signed", "in_force"):
        return state.noted(f"{row.id} is signed by then anyway")
    over = {"in_force": None, "ended": None, "suspended": None, "resumed": None} if status in _OVER else {}
    return _with(state, row, signed=_earlier(row.signed, on), **over)


def bring_into_force(state: State, change: BringIntoForce) -> State:
    """The agreement is in force by the day."""
    state, row = _found(state, change.agreement)
    on = change.on or state.as_of
    status = status_on(row, on)
    if status == "in_force":
        return state.noted(f"{row.id} is in force by then anyway")
    over = {"ended": None, "suspended": None, "resumed": None} if status in _OVER else {}
    return _with(state, row, signed=_earlier(row.signed, on), in_force=on.isoformat(), **over)


def terminate(state: State, change: Terminate) -> State:
    """The agreement has ended by the day."""
    state, row = _found(state, change.agreement)
    if status_on(row, change.on or state.as_of) == "ended":
        return state.noted(f"{row.id} has ended by then anyway")
    return _with(state, row, ended=state.day(change.on))


def _earlier(signed: str | None, on: date) -> str:
    return signed if signed is not None and happened(signed, on) else on.isoformat()


def _with(state: State, row: Agreement, **dates: Any) -> State:
    return _kept(state, structs.replace(row, **dates))


def _kept(state: State, row: Agreement) -> State:
    """In the order of ids, as the ledger has them: the order of changes must not decide which of two equals counts."""
    return state.with_rows(agreements=dict(sorted({**state.world.agreements, row.id: row}.items())))


def _found(state: State, agreement: str | NewAgreement) -> tuple[State, Agreement]:
    if isinstance(agreement, NewAgreement):
        row = _row(state, agreement)
        made = _kept(state, row)
        if agreement.no_export_restriction:
            made = made.with_rows(provisions={**made.world.provisions, row.id: (_clause(row),)})
        return made, row
    if agreement not in state.world.agreements:
        raise ChangeError("agreement", f"no agreement has the id {agreement!r}")
    return state, state.world.agreements[agreement]


def _row(state: State, new: NewAgreement) -> Agreement:
    if new.id in state.world.agreements:
        raise ChangeError("agreement/id", f"{new.id!r} is the id of an agreement there is")
    return Agreement(
        id=new.id,
        title=f"{new.id} (made up by the scenario)",
        type=new.type,
        binding="yes" if new.binding else "no",
        parties=state.need_parties(new.parties, "agreement/parties"),
        scope="named" if new.minerals else "all",
        minerals=state.need_minerals(new.minerals or (), "agreement/minerals"),
        stages=tuple(new.stages or ()),
        evidence_level="article",
        source=SOURCE,
    )


def _clause(row: Agreement) -> Provision:
    return Provision(
        id=f"{row.id}-no-export-restriction",
        agreement=row.id,
        type="no_export_restriction",
        binding=row.binding,
        text="",
        evidence_level=row.evidence_level,
        source=SOURCE,
    )


def without(world: World, *agreements: str) -> World:
    """The World as if some agreements had never been; all of them if none is named."""
    rest = {name: row for name, row in world.agreements.items() if agreements and name not in agreements}
    return world.changed(agreements=rest)
