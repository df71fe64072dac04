"""Who controls capacity abroad: only shares with a source, each under its evidence level, and what they change."""

from __future__ import annotations

from datetime import date
from typing import cast

import pytest

from service.risk.concentration import hhi
from service.world.rows import Control, Share
from service.world.world import World
from tests.shipped import Rows

DAY = date(2026, 2, 5)


def controls(rows: Rows) -> list[Control]:
    return [cast(Control, row) for row in rows["control"].values()]


def by_control(shipped: World, rows: Rows, mineral: str, stage: str) -> tuple[dict[str, float], dict[str, float]]:
    """Shares by territory, and with what owners abroad hold of them moved to the owners."""
    chosen = shipped.share_set(mineral, stage, DAY)
    assert chosen is not None
    territory = {row.country: row.share for row in cast(tuple[Share, ...], chosen.rows) if row.share is not None}
    owned = dict(territory)
    for row in controls(rows):
        if (row.mineral, row.stage, row.type) == (mineral, stage, "ownership") and row.share and row.host in territory:
            moved = territory[row.host] * row.share
            owned[row.host] -= moved
            owned[row.controller] = owned.get(row.controller, 0.0) + moved
    return territory, owned


def test_nickel_by_territory_and_by_control_differ(shipped: World, rows: Rows) -> None:
    """Chinese firms hold about 75 % of Indonesia's refining (C4ADS, 2023) of 42.86 % of the world's (IEA, 2024)."""
    territory, owned = by_control(shipped, rows, "nickel", "processing")
    assert (territory["IDN"], territory["CHN"]) == (0.4286, 0.3132)
    assert owned["IDN"] == pytest.approx(0.4286 * 0.25)
    assert owned["CHN"] == pytest.approx(0.3132 + 0.4286 * 0.75)
    assert sum(owned.values()) == pytest.approx(sum(territory.values()))
    assert hhi(list(territory.values())) < 0.30 < 0.40 < hhi(list(owned.values()))


def test_copper_has_no_share_of_control_and_stays_as_it_is(shipped: World, rows: Rows) -> None:
    """Two mines by name are no share: territory and control agree."""
    territory, owned = by_control(shipped, rows, "copper", "extraction")
    assert territory == owned


def test_a_count_of_mines_is_no_share_of_capacity(rows: Rows) -> None:
    """15 of 19 mines (CSIS) and a share of world output (2 % and 14 %, Gulley 2019) stay in words."""
    counted = [row for row in controls(rows) if row.source in ("csis-drc-cobalt", "gulley-2019")]
    assert len(counted) == 2
    for row in counted:
        assert row.share is None
    assert any("15 of the 19" in row.printed for row in counted)
    assert any("2 %" in row.printed and "14 %" in row.printed for row in counted)


def test_controllers_of_one_host_hold_no_more_than_all_of_it(rows: Rows) -> None:
    held: dict[tuple[str, ...], float] = {}
    for row in controls(rows):
        place = (row.mineral, row.stage, row.host, row.type, str(row.year))
        held[place] = held.get(place, 0.0) + (row.share or 0.0)
    assert max(held.values()) <= 1.0


def test_every_row_says_what_is_printed_and_how_well_it_is_known(rows: Rows) -> None:
    for row in controls(rows):
        assert row.printed
        assert row.controller != row.host
        assert row.evidence_level in ("study", "secondary_page")


def test_output_is_committed_without_being_owned_in_south_america_and_asia(rows: Rows) -> None:
    """Concentrate of Brazil sold to China for years, rare earths of Malaysia kept for Japan."""
    offtake = {(row.host, row.controller) for row in controls(rows) if row.type == "offtake"}
    assert offtake == {("BRA", "CHN"), ("MYS", "JPN")}
