"""Output lost, added and moved: what becomes of the shares of a mineral at a stage."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from schemas.change import AddCapacity, LoseSupplier, MoveShare
from service.risk.scenario import Reshaped, reshape
from service.world.dates import happened
from service.world.doubt import sd_by_country
from service.world.scenario.state import ChangeError, Shift, State
from service.world.shares import ShareSet, reshaped
from service.world.world import STAGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from service.world.rows import Deposit, Share, Stage


def unit_label(row: Share | Deposit) -> str:
    """The unit of an amount and what it counts: `metric tons, lithium content`."""
    return ", ".join(filter(None, (row.unit, row.basis)))


def unit_of(shares: ShareSet) -> tuple[str | None, float | None]:
    """The unit in which a source prints world output, and how much that is; None where it prints shares only."""
    for row in shares.rows:
        if row.total:
            return unit_label(row), row.total
    return None, None


def lose_supplier(state: State, change: LoseSupplier) -> State:
    """A country loses part of its output of some minerals at some stages."""
    country = state.need_country(change.country, "country")
    named = state.need_minerals(change.minerals or (), "minerals")
    found: list[Shift] = []
    for mineral in sorted(state.world.covered(frozenset(named or state.world.minerals))):
        for stage in (change.stage,) if change.stage else STAGES:
            shares = state.world.share_set(mineral, stage, state.as_of)
            row = next((row for row in shares.rows if row.country == country), None) if shares else None
            if shares is not None and row is not None and row.share != 0:
                found.append(_lost(state, shares, row, change.fraction))
    if not found:
        return state.noted(f"no source names {country} as a supplier here: nothing is lost")
    for shift in found:
        if shift.amount is None:
            state = state.noted(f"{country}'s share of {shift.mineral} at {shift.stage} is not known, nor what is lost")
    return replace(state, shifts=(*state.shifts, *found))


def _lost(state: State, shares: ShareSet, row: Share, fraction: float) -> Shift:
    _, total = unit_of(shares)
    quantity = row.quantity
    if quantity is None and total is not None and row.share is not None:
        quantity = row.share * total
    return Shift(
        place=state.place,
        kind="lost",
        mineral=shares.mineral,
        stage=shares.stage,
        country=row.country,
        amount=None if row.share is None else -fraction * row.share,
        fraction=fraction,
        quantity=None if quantity is None else fraction * quantity,
    )


def add_capacity(state: State, change: AddCapacity) -> State:
    """A country has new output, from the end of the year it starts."""
    if change.deposit is None:
        if change.country is None or change.stage is None or change.mineral is None:
            raise ChangeError("", "name a deposit, or a country, a stage and a mineral")
        country, stage, deposit = state.need_country(change.country, "country"), change.stage, None
    else:
        deposit = _deposit(state, change)
        country, stage = deposit.country, deposit.stage
        state = replace(state, caveats=(*state.caveats, *(f"{deposit.name}: {text}" for text in deposit.caveats)))
        if deposit.status == "producing":
            state = state.noted(f"{deposit.id} produces already: the shares may hold part of its output")
    start = str(change.start) if change.start else deposit.start if deposit else None
    shift = _added(state, change, deposit, country, stage)
    if start is not None and not happened(start, state.as_of):
        return state.noted(f"it starts in {start}, which is not over on {state.as_of}: nothing is added yet")
    return replace(state, shifts=(*state.shifts, shift))


def _deposit(state: State, change: AddCapacity) -> Deposit:
    deposit = state.world.deposits.get(change.deposit or "")
    if deposit is None:
        raise ChangeError("deposit", f"no deposit or project has the id {change.deposit!r}")
    if change.country is not None or change.stage is not None:
        raise ChangeError("country" if change.country else "stage", "a deposit has its own country and stage")
    if change.mineral is not None and change.mineral not in deposit.minerals:
        raise ChangeError("mineral", f"{deposit.id} holds {', '.join(deposit.minerals)}")
    return deposit


def _added(state: State, change: AddCapacity, deposit: Deposit | None, country: str, stage: Stage) -> Shift:
    if change.share is not None and change.quantity is not None:
        raise ChangeError("quantity", "give a share or a quantity")
    capacity = deposit.capacity if deposit else None
    own = change.share is None and change.quantity is None
    if own and capacity is None:
        raise ChangeError("share", "no source says how much; give a share of world output or a quantity")
    names = (change.mineral,) if change.mineral else deposit.minerals if deposit else ()
    sets = [_need_shares(state, name, stage) for name in state.need_minerals(names, "mineral")]
    if own and deposit:
        sets = [found for found in sets if unit_of(found)[0] == unit_label(deposit)]
    if len(sets) != 1:
        raise ChangeError("mineral", f"name the one mineral that is added: {', '.join(names)}")
    total = unit_of(sets[0])[1]
    if change.share is not None:
        quantity = None if total is None else change.share * total
        return Shift(state.place, "added", sets[0].mineral, stage, country, change.share, quantity=quantity)
    if total is None:
        raise ChangeError("quantity", f"{sets[0].source.id} prints no world amount; give a share of world output")
    quantity = change.quantity or capacity or 0.0
    return Shift(state.place, "added", sets[0].mineral, stage, country, quantity / total, quantity=quantity)


def _need_shares(state: State, mineral: str, stage: Stage) -> ShareSet:
    shares = state.world.share_set(mineral, stage, state.as_of)
    if shares is None:
        raise ChangeError("mineral", f"no source names shares of {mineral} at {stage} that something could be added to")
    return shares


def move_share(state: State, change: MoveShare) -> State:
    """Output moves between two countries; the world's stays what it was."""
    state.need_minerals((change.mineral,), "mineral")
    shares = _need_shares(state, change.mineral, change.stage)
    ends = ((change.from_, "from", -change.share), (change.to, "to", change.share))
    shifts = [
        Shift(state.place, "moved", shares.mineral, shares.stage, state.need_country(code, field), amount)
        for code, field, amount in ends
    ]
    return replace(state, shifts=(*state.shifts, *shifts))


@dataclass(frozen=True, eq=False)
class Shock:
    """What became of a mineral at a stage: the shares before and after, what happened, and the output that is left."""

    before: ShareSet
    after: ShareSet
    shifts: tuple[Shift, ...]
    output: float
    """Of what it was, 1 = as much as before."""

    @property
    def lost(self) -> float:
        """The part of world output that is lost, whatever is added."""
        return -sum(shift.amount or 0.0 for shift in self.shifts if shift.kind == "lost")


def settle(state: State) -> tuple[State, list[Shock]]:
    """Lets all shifts take effect at once. Raises ChangeError where more is lost or moved than there is."""
    by_stage: dict[tuple[str, Stage], list[Shift]] = {}
    for shift in state.shifts:
        by_stage.setdefault((shift.mineral, shift.stage), []).append(shift)
    shocks = [_shock(state, mineral, stage, shifts) for (mineral, stage), shifts in sorted(by_stage.items())]
    sets = {(shock.after.mineral, str(shock.after.stage)): (shock.after,) for shock in shocks}
    return state.with_rows(share_sets={**state.world.share_sets, **sets}) if sets else state, shocks


def _shock(state: State, mineral: str, stage: Stage, shifts: Sequence[Shift]) -> Shock:
    before = _need_shares(state, mineral, stage)
    shares = dict.fromkeys(sorted(shift.country for shift in shifts), 0.0) | before.by_country
    changes = dict.fromkeys(shares, 0.0)
    for shift in shifts:
        changes[shift.country] += shift.amount or 0.0
    made = _reshape(shares, changes, shifts)
    gone = {shift.country for shift in shifts if shift.amount is None and shift.fraction == 1}
    # a change of how much there is does not make it better known
    sd = sd_by_country(state.world, before, state.as_of)
    left = dict(zip(shares, made.shares.tolist(), strict=True))
    return Shock(before, reshaped(before, left, sd, state.world.country_index, gone), tuple(shifts), made.output)


def _reshape(shares: dict[str, float], changes: dict[str, float], shifts: Sequence[Shift]) -> Reshaped:
    try:
        return reshape(np.array(list(shares.values())), np.array(list(changes.values())))
    except ValueError as error:
        short = [shift for shift in shifts if shares[shift.country] + changes[shift.country] < 0]
        last = max(short, key=lambda shift: shift.place)
        field = "fraction" if last.kind == "lost" else "share"
        detail = (
            f"{last.country} has {shares[last.country]:.4f} of the output of {last.mineral} at {last.stage}: {error}"
        )
        raise ChangeError(field, detail, last.place) from error
