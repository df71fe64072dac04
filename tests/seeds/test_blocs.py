"""Blocs as buyers, on the shipped evidence: read together they are what their members are one by one."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from service.risk.partners import LADDER, RestrictionType, Tier
from service.world.position import NOBODY, Position, Positions
from service.world.world import World

DAYS = [
    date(1990, 1, 1),
    date(2004, 5, 1),
    date(2012, 6, 1),
    date(2020, 1, 31),
    date(2022, 7, 1),
    date(2024, 6, 30),
    date(2025, 10, 28),
    date(2026, 2, 3),
    date(2026, 2, 5),
    date(2030, 1, 1),
]


def member_by_member(world: World, bloc: str, on: date) -> Position:
    """A bloc's position from that of each member, every one worked out anew: slow, and as the rule is written."""
    members = sorted(world.members(bloc, on))
    found = [Positions(world, on).of(member) for member in members]
    by_worth = sorted(Tier, key=lambda tier: (LADDER.tau(tier).central, tier))
    rank = np.array([by_worth.index(tier) for tier in Tier])
    tiers = np.stack([each.tier for each in found])
    weakest = rank[tiers].argmax(axis=0)[None]
    protected = np.logical_and.reduce([each.protector != NOBODY for each in found])

    def of_weakest(arrays: list[np.ndarray]) -> np.ndarray:
        return np.take_along_axis(np.stack(arrays), weakest, axis=0)[0]

    tier, agreement = of_weakest([each.tier for each in found]), of_weakest([each.agreement for each in found])
    home = [world.country_index[member] for member in members]
    tier[:, :, home], agreement[:, :, home], protected[:, :, home] = Tier.HOME, NOBODY, False
    return Position(tier, agreement, strongest(world, found), np.where(protected, found[0].protector, NOBODY))


def strongest(world: World, found: list[Position]) -> np.ndarray:
    """The strongest restriction any of some positions has, the first of equals."""
    rows = list(world.restrictions.values())
    types = [LADDER.r(RestrictionType[r.type.upper()]) for r in rows]
    strength = np.array([*(row.factor or step.central for row, step in zip(rows, types, strict=True)), 1.0])
    stack = np.stack([each.restriction for each in found])
    return np.take_along_axis(stack, strength[stack].argmax(axis=0)[None], axis=0)[0]


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_bloc_is_its_members_one_by_one(shipped: World, day: date) -> None:
    """Members that stand alike are worked out once, and the outcome is the same to the cell."""
    positions = Positions(shipped, day)
    for bloc in shipped.blocs:
        if shipped.members(bloc, day):
            quick, plain = positions.of(bloc), member_by_member(shipped, bloc, day)
            for part in ("tier", "agreement", "restriction"):
                assert np.array_equal(getattr(quick, part), getattr(plain, part)), (bloc, part)
            assert np.array_equal(quick.protector != NOBODY, plain.protector != NOBODY), bloc


@pytest.mark.parametrize("day", DAYS, ids=str)
def test_a_position_does_not_depend_on_who_was_asked_before(shipped: World, day: date) -> None:
    shared = Positions(shipped, day)
    for buyer in ("DEU", "EU", "FRA", "USA", "G7", "DEU"):
        alone = Positions(shipped, day).of(buyer)
        found = shared.of(buyer)
        assert all(
            np.array_equal(getattr(alone, part), getattr(found, part))
            for part in ("tier", "agreement", "restriction", "protector")
        )
