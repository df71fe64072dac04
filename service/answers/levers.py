"""What moves a mineral's score most, as the wire contract has it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas import levers as wire
from service.answers.rounding import measure, points, seen
from service.risk.levers import levers
from service.world.without import without_each

if TYPE_CHECKING:
    from collections.abc import Iterator

    from service.answers.score import Account
    from service.risk.levers import Others, Turn
    from service.risk.methods.partner_adjusted import MineralScores
    from service.world.scoring import Scored
    from service.world.without import Without
    from service.world.world import World

STEP = 0.01
"""The rise of a figure that its effect is told for."""


def levers_of(account: Account, mineral: str, others: Others) -> wire.Levers:
    """Everything that moves the score of one mineral, the largest effect first."""
    told = account.score(mineral)
    found: list[wire.Lever] = []
    if told.score is not None:
        alone = account.scored.only(mineral)
        left = without_each(account.world, account.buyer, account.as_of, mineral, alone)
        found = [*_figures(account.world, alone, others), *(_instrument(each, alone.scores) for each in left)]
    return wire.Levers(
        as_of=told.as_of,
        known_at=told.known_at,
        data_version=told.data_version,
        mineral=mineral,
        buyer=account.buyer,
        method=told.method,
        status=told.status,
        reasons=told.reasons,
        score=told.score,
        band=told.band,
        interval=told.interval,
        binding_stage=told.binding_stage,
        others=others,
        levers=sorted(found, key=_order),
    )


def _order(lever: wire.Lever) -> tuple[object, ...]:
    """Largest effect first, then largest on its own stage; what has no number last; then by name."""
    sizes = [1.0 if effect is None else -abs(effect) for effect in (lever.effect, lever.stage_effect)]
    return (*sizes, lever.kind, lever.id or "", lever.country or "", lever.stage or "")


def _figures(world: World, alone: Scored, others: Others) -> Iterator[wire.Lever]:
    codes = dict(zip(world.country_numbers.tolist(), world.country_index, strict=True))
    stages = [place.stage for place in alone.sheet.places]
    for lever in levers(alone.scores, others):
        yield wire.Lever(
            kind=lever.figure,
            id=None,
            country=codes[lever.country],
            stage=None if lever.stage is None else stages[lever.stage],
            binding=lever.acts_on_binding,
            value=measure(lever.value),
            step=STEP,
            effect=_effect(lever.slope),
            stage_effect=None if lever.stage is None else _effect(lever.slope_of(lever.stage)),
            up=_turn(lever.up),
            down=_turn(lever.down),
            binds_at=measure(lever.binds_at),
            score_without=None,
        )


def _effect(slope: float | None) -> float | None:
    return None if slope is None else _shown(slope * STEP)


def _shown(effect: float) -> float:
    """An effect with six decimals, and with as many as it takes to see it where that is not enough."""
    return measure(effect) or seen(effect)


def _turn(turn: Turn | None) -> wire.Turn | None:
    return None if turn is None else wire.Turn(at=measure(turn.at), band=turn.band)


def _instrument(left: Without, scores: MineralScores) -> wire.Lever:
    without = float(left.scores.score[0])
    return wire.Lever(
        kind=left.kind,
        id=left.id,
        country=None,
        stage=None,
        binding=int(scores.binding_stage[0]) in left.stages,
        value=None,
        step=None,
        effect=_shown(float(scores.score[0]) - without),
        stage_effect=None,
        up=None,
        down=None,
        binds_at=None,
        score_without=points(without),
    )
