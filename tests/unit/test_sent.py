"""An account as it is sent: what many buyers share is kept as bytes, and nobody can tell."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from msgspec.json import encode

from service.answers.score import Account
from service.risk.partners import LADDER, Ladder
from service.seeding import read_seeds
from service.world.rows import Control
from service.world.world import World
from tests.evidence import world_of

DAYS = [date(2026, 2, 5), date(2021, 6, 30)]
LADDERS = [
    LADDER,
    LADDER.replace(memorandum=0.5),
    LADDER.replace(none=0.9, ban=2.0),
    LADDER.replace(forum=0.2, programme=1.0, licence=1.0),
]


@pytest.fixture(scope="module")
def world() -> World:
    """The shipped evidence."""
    return world_of(read_seeds())


def assert_sent_as_told(world: World, mineral: str, buyer: str, day: date, *asked: Any, **more: Any) -> None:
    account = Account.of(world, buyer, day, *asked, **more)
    assert encode(account.sent(mineral)) == encode(account.score(mineral))


@pytest.mark.parametrize("ladder", LADDERS)
@pytest.mark.parametrize("buyer", ["USA", "EU", "COD", "TUV", "CAN,USA"])
def test_what_is_sent_is_the_account(world: World, buyer: str, ladder: Ladder) -> None:
    """Of one mineral in five, whether it is asked for first or after somebody who stands alike."""
    for day in DAYS:
        for mineral in list(world.minerals)[::5]:
            assert_sent_as_told(world, mineral, buyer, day, ladder)


@pytest.mark.parametrize("asked", [{"mix": "sourcing"}, {"level": 0.5}, {"attribution": "control"}, {}])
def test_ways_to_look_at_a_score_are_kept_apart(world: World, asked: dict[str, Any]) -> None:
    """The buyer's own supply, another level and control, of the same buyer and day and in turn."""
    for mineral in ("cobalt", "nickel", "lithium", "natural-graphite", "tungsten"):
        assert_sent_as_told(world, mineral, "USA", DAYS[0], **asked)


def test_a_ladder_is_told_back_whether_it_counts_or_not(world: World) -> None:
    """Two ladders that differ in a tie nobody has here give the same stages, and each is named."""
    first, other = (Account.of(world, "TUV", DAYS[0], ladder) for ladder in (LADDERS[0], LADDERS[1]))
    assert first.sent("cobalt").stages == other.sent("cobalt").stages
    assert first.sent("cobalt").ladder == {}
    assert other.sent("cobalt").ladder == {"memorandum": 0.5}


def test_what_is_left_to_a_buyer_is_told_to_it_alone(world: World) -> None:
    """Where output is committed, what is available depends on who asks, and not on how it stands."""
    committed = Control(
        mineral="cobalt",
        stage="extraction",
        type="offtake",
        host="COD",
        controller="TUV",
        share=0.5,
        printed="50 %",
        year=2024,
        evidence_level="statistics",
        source="usgs-mcs-2026",
    )
    found = world_of([*read_seeds(), committed])
    for buyer in ("TUV", "NRU"):
        assert_sent_as_told(found, "cobalt", buyer, DAYS[0])
    left = [Account.of(found, buyer, DAYS[0]).sent("cobalt").stages[0].available_to_market for buyer in ("TUV", "NRU")]
    assert left[0] > left[1]  # type: ignore[operator]
