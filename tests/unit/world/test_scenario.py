"""Each kind of change: what it makes of the evidence, and what it leaves alone."""

from __future__ import annotations

from datetime import date
from typing import Any

import msgspec
import pytest

from schemas.change import Change
from service.risk.partners import LADDER, Tier
from service.world.position import NOBODY, Positions
from service.world.rows import Deposit, Row
from service.world.scenario import ChangeError, Worked, work_out
from service.world.scenario.agreements import without
from service.world.scoring import score_all
from service.world.sheet import sheet_on
from service.world.standing import status_on
from service.world.world import World
from tests.evidence import (
    SOURCE,
    agreement,
    bloc,
    country,
    governance,
    membership,
    mineral,
    provision,
    restriction,
    share,
    world_of,
)

DAY = date(2025, 6, 1)
CODES = ("AAA", "BBB", "CCC", "DDD")


def a_world(*rows: Row) -> World:
    return world_of(
        map(country, CODES),
        [row for code in CODES for row in governance(code, 0.0)],
        mineral("cobalt", stages=("extraction", "processing")),
        mineral("neodymium"),
        mineral("dysprosium"),
        mineral("rare-earths", members=("dysprosium", "neodymium")),
        share("cobalt", "AAA", 0.5, quantity=50.0, total=100.0, unit="t", basis="metal"),
        share("cobalt", "BBB", 0.3, quantity=30.0, total=100.0, unit="t", basis="metal"),
        share("cobalt", "CCC", None, total=100.0, unit="t", basis="metal"),
        share("cobalt", "AAA", 0.9, stage="extraction"),
        share("neodymium", "AAA", 0.9),
        share("dysprosium", "AAA", 1.0),
        bloc("UNION"),
        membership("UNION", "AAA"),
        membership("UNION", "BBB"),
        *rows,
    )


def deposit(name: str, **more: Any) -> Deposit:
    """A find of cobalt in DDD that would be processed there."""
    fields = {"id": name, "name": name.title(), "country": "DDD", "minerals": ("cobalt",), "stage": "processing"}
    fields |= {"status": "planned", "printed": "", "evidence_level": "article", "source": SOURCE}
    return Deposit(**fields | more)


def made(world: World, *changes: dict[str, Any], on: date = DAY) -> Worked:
    return work_out(world, msgspec.convert(list(changes), list[Change]), on, LADDER)


def refused(world: World, change: dict[str, Any]) -> tuple[str, str]:
    """The field at fault and the fault."""
    with pytest.raises(ChangeError) as raised:
        made(world, change)
    assert raised.value.place == 0
    return raised.value.field, raised.value.detail


def status(worked: Worked, name: str, on: date = DAY) -> str:
    return status_on(worked.after.agreements[name], on)


def restricted(world: World, buyer: str, name: str, stage: int = 1, on: date = DAY) -> bool:
    """Whether AAA restricts a mineral to a buyer."""
    position = Positions(world, on).of(buyer)
    cell = stage, world.mineral_index[name], world.country_index["AAA"]
    return bool(position.restriction[cell] != NOBODY)


def test_a_new_agreement_is_signed_on_the_day_asked_for() -> None:
    new = {"id": "new", "type": "memorandum", "binding": False, "parties": ["AAA", "DDD"]}
    worked = made(a_world(), {"change": "sign", "agreement": new, "on": "2025-06-02"})
    assert status(worked, "new") == "pending"
    assert status(worked, "new", date(2025, 6, 2)) == "signed"


def test_it_is_on_the_scenarios_day_if_no_day_is_given() -> None:
    new = {"id": "new", "type": "trade_agreement", "binding": True, "parties": ["AAA", "DDD"]}
    worked = made(a_world(), {"change": "bring_into_force", "agreement": new})
    assert (status(worked, "new"), status(worked, "new", date(2025, 5, 31))) == ("in_force", "pending")


@pytest.mark.parametrize("over", [{"ended": "2024"}, {"suspended": "2024"}])
def test_what_is_over_stands_again_as_signed(over: dict[str, str]) -> None:
    world = a_world(agreement("old", "AAA", "DDD", in_force="2023", **over))
    assert status(made(world, {"change": "sign", "agreement": "old"}), "old") == "signed"
    assert status(made(world, {"change": "bring_into_force", "agreement": "old"}), "old") == "in_force"


def test_what_stands_anyway_stays_and_is_said_to() -> None:
    world = a_world(agreement("old", "AAA", "DDD", in_force="2023"))
    for change in ("sign", "bring_into_force"):
        worked = made(world, {"change": change, "agreement": "old"})
        assert worked.after is worked.before is world
        assert "anyway" in worked.notes[0][1]


def test_an_agreement_ends_from_its_day_on() -> None:
    world = a_world(agreement("old", "AAA", "DDD"))
    worked = made(world, {"change": "terminate", "agreement": "old", "on": "2025-06-01"})
    assert (status(worked, "old", date(2025, 5, 31)), status(worked, "old")) == ("signed", "ended")


def test_a_made_up_agreement_has_no_name_of_a_real_one() -> None:
    new = {"id": "old", "type": "forum", "binding": False, "parties": ["AAA"]}
    assert refused(a_world(agreement("old", "AAA", "DDD")), {"change": "sign", "agreement": new})[0] == "agreement/id"
    new |= {"id": "new", "parties": ["AAA", "NOBODY"]}
    assert refused(a_world(), {"change": "sign", "agreement": new})[0] == "agreement/parties/1"


def test_days_that_did_not_matter_before_matter_after() -> None:
    """A World remembers what it worked out between events: a made-up event is one."""
    new = {"id": "new", "type": "memorandum", "binding": False, "parties": ["AAA", "DDD"]}
    after = made(a_world(), {"change": "sign", "agreement": new, "on": "2025-05-20"}).after
    terms = [score_all(after, "DDD", date(2025, 5, day)).terms for day in (19, 20)]
    tied = [Tier.MEMORANDUM in {kind.tier for kind in each.present} for each in terms]
    assert tied == [False, True]


def test_without_an_agreement_its_clauses_do_nothing() -> None:
    world = a_world(
        agreement("treaty", "AAA", "DDD", type="trade_agreement", binding="yes", in_force="2023"),
        provision("treaty"),
        restriction("ban", "AAA", "cobalt"),
    )
    cell = 1, world.mineral_index["cobalt"], world.country_index["AAA"]
    assert Positions(world, DAY).of("DDD").protector[cell] != NOBODY
    assert Positions(without(world, "treaty"), DAY).of("DDD").protector[cell] == NOBODY


def test_a_restriction_is_imposed_on_everybody_or_on_some() -> None:
    ban = {"change": "impose_restriction", "country": "AAA", "type": "ban", "minerals": ["rare-earths"]}
    everybody, some = made(a_world(), ban).after, made(a_world(), ban | {"buyers": ["UNION"]}).after
    assert restricted(everybody, "DDD", "neodymium")
    assert restricted(some, "BBB", "dysprosium")
    assert not restricted(some, "DDD", "dysprosium")


def test_a_restriction_is_lifted_stage_by_stage() -> None:
    world = a_world(restriction("ban", "AAA", "cobalt", stages=("extraction", "processing")))
    after = made(world, {"change": "lift_restriction", "country": "AAA", "stages": ["processing"]}).after
    assert restricted(after, "DDD", "cobalt", stage=0)
    assert not restricted(after, "DDD", "cobalt", stage=1)


def test_a_groups_restriction_is_lifted_member_by_member() -> None:
    """And the group stays restricted: whoever needs it needs the other member too."""
    world = a_world(restriction("ban", "AAA", "rare-earths"))
    after = made(world, {"change": "lift_restriction", "country": "AAA", "minerals": ["neodymium"]}).after
    assert not restricted(after, "DDD", "neodymium")
    assert restricted(after, "DDD", "dysprosium")
    assert restricted(after, "DDD", "rare-earths")
    both = {"change": "lift_restriction", "country": "AAA", "minerals": ["neodymium", "dysprosium"]}
    assert not made(world, both).after.restrictions


def test_a_restriction_is_lifted_for_some_and_stays_for_others() -> None:
    world = a_world(restriction("ban", "AAA", "rare-earths"), bloc("EMPTY"))
    change = {"change": "lift_restriction", "country": "AAA", "minerals": ["neodymium"], "buyers": ["BBB"]}
    after = made(world, change).after
    assert not restricted(after, "BBB", "neodymium")
    assert all(restricted(after, "BBB", name) for name in ("dysprosium", "rare-earths"))
    assert all(restricted(after, buyer, "neodymium") for buyer in ("CCC", "DDD", "UNION", "EMPTY"))


def test_a_targeted_restriction_stays_on_the_other_targets() -> None:
    world = a_world(restriction("ban", "AAA", "cobalt", targets=("UNION", "DDD")))
    after = made(world, {"change": "lift_restriction", "country": "AAA", "buyers": ["DDD"]}).after
    assert restricted(after, "BBB", "cobalt")
    assert not restricted(after, "DDD", "cobalt")
    assert not restricted(after, "CCC", "cobalt")


def test_a_loss_is_told_in_the_sources_unit() -> None:
    lost = {"change": "lose_supplier", "country": "AAA", "minerals": ["cobalt"], "stage": "processing", "fraction": 0.2}
    (shock,) = made(a_world(), lost).shocks
    assert (shock.lost, shock.output, shock.shifts[0].quantity) == (0.1, 0.9, 10)
    assert shock.after.by_country == {"AAA": pytest.approx(4 / 9), "BBB": pytest.approx(3 / 9)}
    assert [row.country for row in shock.after.rows if row.share is None] == ["CCC"]


def test_a_group_is_lost_with_its_members() -> None:
    lost = {"change": "lose_supplier", "country": "AAA", "minerals": ["rare-earths"]}
    worked = made(a_world(), lost)
    assert [(shock.after.mineral, shock.output) for shock in worked.shocks] == [
        ("dysprosium", 0),
        ("neodymium", pytest.approx(0.1)),
    ]


def test_how_much_a_withheld_supplier_has_nobody_knows() -> None:
    """It is gone all the same, and the note says that its amount is not known."""
    worked = made(a_world(), {"change": "lose_supplier", "country": "CCC"})
    (shock,) = worked.shocks
    assert (shock.output, shock.lost) == (1, 0)
    assert [row.country for row in shock.after.rows] == ["AAA", "BBB"]
    assert "is not known" in worked.notes[0][1]
    (half,) = made(a_world(), {"change": "lose_supplier", "country": "CCC", "fraction": 0.5}).shocks
    assert [row.country for row in half.after.rows if row.share is None] == ["CCC"]


def test_who_supplies_nothing_loses_nothing() -> None:
    worked = made(a_world(), {"change": "lose_supplier", "country": "DDD"})
    assert worked.after is worked.before
    assert worked.notes == ((0, "no source names DDD as a supplier here: nothing is lost"),)


def test_a_changed_set_speaks_though_it_names_little() -> None:
    """What remains may name less than 80 % of its output: an older set must not step in for it."""
    older = [share("cobalt", "BBB", 1.0, period_start=2020, period_end=2020)]
    after = made(a_world(*older), {"change": "lose_supplier", "country": "AAA", "minerals": ["cobalt"]}).after
    found = after.share_set("cobalt", "processing", DAY)
    assert found is not None
    assert (found.reference_year, found.named) == (2024, pytest.approx(0.6))


def test_a_loss_does_not_make_the_others_better_known() -> None:
    before = a_world()
    after = made(before, {"change": "lose_supplier", "country": "AAA", "minerals": ["cobalt"]}).after
    errors = [sheet_on(world, DAY).only("cobalt").doubt.share_sd for world in (before, after)]
    assert set(errors[1].tolist()) <= set(errors[0].tolist())


def test_capacity_is_added_in_the_sources_unit_or_as_a_share() -> None:
    at = {"change": "add_capacity", "country": "DDD", "stage": "processing", "mineral": "cobalt"}
    for size in ({"quantity": 25}, {"share": 0.25}):
        (shock,) = made(a_world(), at | size).shocks
        assert (shock.output, shock.shifts[0].quantity) == (1.25, 25)
        assert shock.after.by_country["DDD"] == pytest.approx(0.2)


def test_a_quantity_needs_a_world_amount() -> None:
    at = {"change": "add_capacity", "country": "DDD", "stage": "processing", "mineral": "neodymium", "quantity": 5}
    assert refused(a_world(), at)[0] == "quantity"
    assert refused(a_world(), at | {"share": 0.1})[1] == "give a share or a quantity"


def test_a_deposits_own_capacity_counts_where_it_is_counted_alike() -> None:
    world = a_world(
        deposit("alike", capacity=10.0, unit="t", basis="metal"),
        deposit("otherwise", capacity=10.0, unit="t", basis="ore"),
        deposit("unknown"),
    )
    assert made(world, {"change": "add_capacity", "deposit": "alike"}).shocks[0].output == 1.1
    assert refused(world, {"change": "add_capacity", "deposit": "otherwise"})[0] == "mineral"
    assert refused(world, {"change": "add_capacity", "deposit": "unknown"})[0] == "share"
    assert refused(world, {"change": "add_capacity", "deposit": "alike", "country": "AAA"})[0] == "country"
    assert refused(world, {"change": "add_capacity", "deposit": "alike", "mineral": "neodymium"})[0] == "mineral"


def test_a_deposit_brings_its_caveats_and_its_start() -> None:
    world = a_world(deposit("find", start="2030", caveats=("no law yet",)))
    change = {"change": "add_capacity", "deposit": "find", "share": 0.5}
    early, late = made(world, change), made(world, change, on=date(2030, 12, 31))
    assert (len(early.shocks), len(late.shocks)) == (0, 1)
    assert early.caveats == late.caveats == ("Find: no law yet",)
    sooner = made(world, change | {"start": 2024})
    assert sooner.shocks


def test_governance_is_set_without_doubt() -> None:
    after = made(a_world(), {"change": "set_governance", "country": "AAA", "weight": 0.8}).after
    weights, place = after.governance.on(DAY), after.country_index["AAA"]
    assert (weights.weight[place], weights.sd[place]) == (pytest.approx(0.8), 0)
    assert (
        refused(world_of(country("AAA")), {"change": "set_governance", "country": "AAA", "weight": 1})[0] == "country"
    )


def test_a_country_joins_and_leaves_on_its_day() -> None:
    joined = made(a_world(), {"change": "join_bloc", "country": "DDD", "bloc": "UNION", "on": "2025-06-01"}).after
    assert joined.members("UNION", date(2025, 5, 31)) == {"AAA", "BBB"}
    assert joined.members("UNION", DAY) == {"AAA", "BBB", "DDD"}
    left = made(a_world(), {"change": "leave_bloc", "country": "BBB", "bloc": "UNION"}).after
    assert left.members("UNION", DAY) == {"AAA"}


def test_where_only_ties_change_the_figures_and_their_draws_are_shared() -> None:
    world = a_world()
    sheet = sheet_on(world, DAY)
    ties = made(world, {"change": "impose_restriction", "country": "AAA", "type": "ban", "minerals": ["cobalt"]})
    assert sheet_on(ties.after, DAY) is sheet
    figures = made(world, {"change": "lose_supplier", "country": "AAA", "minerals": ["cobalt"]})
    assert sheet_on(figures.after, DAY) is not sheet
