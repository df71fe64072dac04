"""Deposits and projects: potential supply with a place, its caveats, and nothing its source does not give."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from service.world.scoring import score_all
from service.world.world import World
from tests.evidence import world_of
from tests.shipped import Rows

LITHIUM_CARBONATE_PER_LITHIUM = 5.323
"""By weight: 73.89 of Li2CO3 to 2 x 6.94 of Li."""


def test_deposits_score_nothing_by_themselves(shipped: World, rows: Rows) -> None:
    without = world_of(*(kind.values() for name, kind in rows.items() if name != "deposit"))
    on = date(2026, 2, 5)
    assert np.array_equal(
        score_all(shipped, "USA", on).scores.score, score_all(without, "USA", on).scores.score, equal_nan=True
    )


def test_the_find_at_junin_has_a_place_and_no_invented_size(shipped: World) -> None:
    """The geological survey names five elements and grades in clay, no resource and no project."""
    junin = shipped.deposits["junin-rare-earths"]
    assert (junin.status, junin.capacity, junin.start) == ("find", None, None)
    assert "Junín" in junin.place
    assert {"lanthanum", "cerium", "neodymium", "gadolinium", "yttrium"} <= set(junin.minerals)


@pytest.mark.parametrize(
    ("deposit", "carbonate"), [("puno-falchani-lithium", 23_145), ("thacker-pass-lithium", 40_000)]
)
def test_lithium_projects_are_counted_in_lithium(shipped: World, deposit: str, carbonate: int) -> None:
    """As mined output is: the carbonate printed (American Lithium 2024, Argus) divided by 5.323."""
    project = shipped.deposits[deposit]
    assert project.capacity == round(carbonate / LITHIUM_CARBONATE_PER_LITHIUM)
    mined = shipped.share_set("lithium", "extraction", date(2026, 2, 5))
    assert mined is not None
    assert {(row.unit, row.basis) for row in mined.rows} == {(project.unit, project.basis)}


def test_every_deposit_carries_caveats(shipped: World) -> None:
    for deposit in shipped.deposits.values():
        assert deposit.caveats, deposit.id
        told = " ".join(deposit.caveats).lower()
        assert "environmental" in told, deposit.id


def test_an_amount_has_a_unit_and_no_unit_stands_alone(shipped: World) -> None:
    for deposit in shipped.deposits.values():
        assert (deposit.capacity is None) == (deposit.unit == ""), deposit.id


def test_deposits_of_the_united_states_name_the_money_behind_them(shipped: World) -> None:
    """Measures at home: loans, guarantees, grants, permits."""
    american = [row for row in shipped.deposits.values() if row.country == "USA"]
    assert len(american) >= 8
    assert sum("US dollar" in row.printed for row in american) >= 7
