"""One mineral scored alone has the numbers it has among all, to the last bit."""

from __future__ import annotations

from datetime import date
from itertools import product

import numpy as np
import pytest

from service.risk.intervals import Ends, Intervals
from service.risk.partners import LADDER
from service.risk.uncertainty import Sample
from service.seeding import read_seeds
from service.world.scoring import Scored, score_all
from service.world.sheet import sheet_on
from service.world.sourcing import score_sourced
from service.world.world import World
from tests.evidence import world_of

DAYS = [date(2026, 2, 5), date(2021, 6, 30)]


@pytest.fixture(scope="module")
def world() -> World:
    """The shipped evidence."""
    return world_of(read_seeds())


def of_mineral(among: Ends, index: int, stages: range) -> list[float]:
    """The ends of one mineral, or of its stages where it is those that are asked for."""
    places = slice(stages.start, stages.stop) if stages else slice(index, index + 1)
    return [*among.low[places].tolist(), *among.high[places].tolist()]


def assert_same(among: Intervals, alone: Intervals, index: int, stages: range) -> None:
    """The interval of a mineral and those of its stages."""
    assert of_mineral(among.minerals, index, range(0)) == [*alone.minerals.low, *alone.minerals.high]
    assert of_mineral(among.stages, index, stages) == [*alone.stages.low, *alone.stages.high]


def assert_alone_as_among(scored: Scored) -> None:
    """Scores, stages, coverage, intervals and their parts, for every mineral."""
    for index, (mineral, stages) in enumerate(scored.sheet.places_of.items()):
        alone = scored.only(mineral)
        result, among = alone.scores.mineral(0), scored.scores.mineral(index)
        assert (result.status, result.score, result.reasons, result.flags) == (
            among.status,
            among.score,
            among.reasons,
            among.flags,
        )
        if among.binding_stage is not None:
            assert result.binding_stage == among.binding_stage - stages.start
        for at, stage in enumerate(stages):
            assert alone.scores.stages.stage(at) == scored.scores.stages.stage(stage)
            place, before = alone.sheet.places[at], scored.sheet.places[stage]
            assert (place.stage, place.shares) == (before.stage, before.shares)
            assert alone.position.only(place.rows).content() == scored.position.only(before.rows).content()
        for level in (0.9, 0.5):
            assert_same(scored.intervals(level), alone.intervals(level), index, stages)
        parts, apart = scored.parts(), alone.parts()
        assert_same(parts.inputs, apart.inputs, index, stages)
        assert_same(parts.design, apart.design, index, stages)


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("buyer", ["USA", "EU", "CHN"])
def test_a_mineral_alone_is_the_mineral_among_all(world: World, buyer: str, day: date) -> None:
    assert_alone_as_among(score_all(world, buyer, day))


def test_a_mineral_is_drawn_alone_as_it_is_among_all() -> None:
    """Whether its draws are cut out of those of all, or drawn for it alone."""
    sheet = sheet_on(world_of(read_seeds()), DAYS[0])
    drawn = {mineral: sheet.only(mineral).sample for mineral in sheet.places_of}
    for mineral, stages in sheet.places_of.items():
        alone, cut = drawn[mineral], sheet.sample.only(sheet.rows_of(mineral), stages, drawn[mineral].suppliers)
        for one, other in zip(vars(alone).values(), vars(cut).values(), strict=True):
            assert one is other or np.array_equal(one, other)
        # what is kept of one mineral for many Worlds must not keep the draws of all of each
        assert all(
            np.may_share_memory(each, whole) is False
            for each, whole in zip(_arrays(cut), _arrays(sheet.sample), strict=True)
        )


def _arrays(sample: Sample) -> list[np.ndarray]:
    return [each for each in vars(sample).values() if isinstance(each, np.ndarray)]


def test_so_it_is_with_the_buyers_own_supply(world: World) -> None:
    """The buyer's own supply is cut out with the stages it is in."""
    sourced = score_sourced(world, "USA", DAYS[0])
    assert_alone_as_among(sourced)
    for mineral, stages in sourced.sheet.places_of.items():
        alone = sourced.only(mineral)
        for at, stage in enumerate(stages):
            one, other = alone.own[at], sourced.own[stage]
            assert (one is None) == (other is None)
            if one and other:
                assert (one.mix, one.reliance) == (other.mix, other.reliance)
                assert alone.own_position.only(one.rows).content() == sourced.own_position.only(other.rows).content()


def test_it_is_worked_out_once(world: World) -> None:
    """The sheet of a mineral serves all buyers, its score all who stand alike towards its suppliers."""
    usa, china, andorra, monaco = (score_all(world, buyer, DAYS[0]) for buyer in ("USA", "CHN", "AND", "MCO"))
    assert usa.only("cobalt") is usa.only("cobalt")
    assert usa.only("cobalt").sheet is china.only("cobalt").sheet
    assert andorra.only("cobalt") is monaco.only("cobalt") is not usa.only("cobalt")


def test_who_was_asked_before_changes_nothing(world: World) -> None:
    """What buyers who stand alike share is what each of them has when nobody was asked before."""
    buyers = ["USA", "CHN", "AND", "MCO", "DEU", "FRA", "EU", "CAN,USA", "COD", "CHL"]
    ladders = [LADDER, LADDER.replace(memorandum=0.5, none=0.9)]
    cases = list(product(ladders, DAYS, buyers))
    shared = [score_all(world, buyer, day, ladder) for ladder, day, buyer in cases]
    for found, (ladder, day, buyer) in zip(shared, cases, strict=True):
        world.memo.clear()
        alone = score_all(world, buyer, day, ladder)
        assert found.position.content() == alone.position.content()
        assert np.array_equal(found.scores.score, alone.scores.score)
        for mineral in ("cobalt", "natural-graphite", "gallium"):
            assert found.only(mineral).position.content() == alone.only(mineral).position.content()
