"""What must hold of every agreement and every scenario, whatever the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.change import Change
from schemas.scenario import Scenario
from service.answers.effect import Effect
from service.answers.scenario import Played
from service.risk.partners import LADDER, Ladder
from service.risk.scenario import NOTHING
from service.world.attribution import attributed
from service.world.contributions import contributions
from service.world.rows import Agreement, Control, Provision, Restriction, Row
from service.world.scenario import ChangeError, Worked, work_out
from service.world.scenario.agreements import without
from service.world.scoring import score_all
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
CODES = ("AAA", "BBB", "CCC", "DDD", "EEE")
BLOCS = ("UNION", "PACT")
BUYERS = (*CODES, *BLOCS, "AAA,EEE")
MINERALS = ("cobalt", "tin")
STAGES = ("extraction", "processing")
NONBINDING = ("framework", "memorandum", "forum")
NO_TIES = LADDER.replace(binding=1.0, binding_signed=1.0, programme=1.0, memorandum=1.0, forum=1.0)

amounts = st.lists(st.integers(0, 20), min_size=len(CODES), max_size=len(CODES))
estimates = st.floats(-2.5, 2.5)
parties = st.lists(st.sampled_from((*CODES, *BLOCS)), min_size=1, max_size=3, unique=True)


@st.composite
def shares(draw: st.DrawFn) -> list[Row]:
    """Shares of two minerals at two stages that leave a remainder."""
    found: list[Row] = []
    for name in MINERALS:
        for stage in STAGES:
            each = draw(amounts)
            whole = sum(each) + draw(st.integers(1, 20))
            found += [share(name, code, part / whole, stage=stage) for code, part in zip(CODES, each, strict=True)]
    return found


@st.composite
def agreements(draw: st.DrawFn, number: int) -> Agreement:
    """An agreement of any kind that stands on the day or does not."""
    binding = draw(st.booleans())
    return agreement(
        f"agreement-{number}",
        *draw(parties),
        type="trade_agreement" if binding else draw(st.sampled_from(NONBINDING)),
        binding="yes" if binding else "no",
        signed=draw(st.sampled_from(("2020", "2024-05", "2026-01-01"))),
        in_force=draw(st.sampled_from((None, "2021", "2024-06"))),
        ended=draw(st.sampled_from((None, "2025-01"))),
        scope=draw(st.sampled_from(("all", "named"))),
        minerals=(draw(st.sampled_from(MINERALS)),),
        stages=draw(st.sampled_from(((), ("extraction",), ("processing",)))),
    )


@st.composite
def restrictions(draw: st.DrawFn, number: int) -> Restriction:
    """A restriction of any kind, on everybody or on some."""
    return restriction(
        f"restriction-{number}",
        draw(st.sampled_from(CODES)),
        draw(st.sampled_from(MINERALS)),
        type=draw(st.sampled_from(("licence", "tax", "quota", "ban"))),
        stages=draw(st.sampled_from((STAGES, ("extraction",), ("processing",)))),
        targets=tuple(draw(st.lists(st.sampled_from((*CODES, *BLOCS)), max_size=2, unique=True))),
    )


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    """Evidence about five countries, a bloc of two and one of three, and two minerals."""
    tied = [draw(agreements(number)) for number in range(draw(st.integers(0, 4)))]
    clauses: list[Provision] = [provision(row.id) for row in tied if draw(st.booleans())]
    held = [draw(restrictions(number)) for number in range(draw(st.integers(0, 3)))]
    governed = [row for code in CODES for row in governance(code, draw(estimates))]
    members = [membership("UNION", code) for code in CODES[:2]] + [membership("PACT", code) for code in CODES[1:4]]
    return [
        *map(country, CODES),
        *(mineral(name, stages=STAGES) for name in MINERALS),
        *map(bloc, BLOCS),
        *members,
        *draw(shares()),
        *governed,
        *tied,
        *clauses,
        *held,
    ]


worlds = rows().map(lambda found: world_of(*found))


def played(world: World, *changes: dict[str, Any], ladder: Ladder = LADDER) -> Worked:
    return work_out(world, msgspec.convert(list(changes), list[Change]), DAY, ladder)


def scores(world: World, buyer: str, ladder: Ladder = LADDER) -> list[float]:
    """The unrounded scores of all minerals, −1 without one."""
    found = score_all(world, buyer, DAY, ladder).scores
    return np.where(found.sufficient, found.score, -1.0).tolist()


def everything(world: World, ladder: Ladder = LADDER) -> list[list[float]]:
    """The scores of every buyer."""
    return [scores(world, buyer, ladder) for buyer in BUYERS]


def new(name: str, *of: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "trade_agreement", "binding": True, "parties": list(of)} | more


@given(worlds, parties)
def test_signing_and_ending_an_agreement_changes_nothing(world: World, of: list[str]) -> None:
    made = played(
        world,
        {"change": "sign", "agreement": new("made-up", *of)},
        {"change": "bring_into_force", "agreement": "made-up"},
        {"change": "terminate", "agreement": "made-up"},
    )
    assert everything(made.after) == everything(world)


@given(worlds, st.sampled_from(CODES), st.sampled_from(MINERALS), st.floats(0.01, 1))
def test_losing_output_and_adding_as_much_changes_nothing(world: World, code: str, of: str, fraction: float) -> None:
    had = world.share_set(of, "processing", DAY).by_country[code]  # type: ignore[union-attr]
    lost = {"change": "lose_supplier", "country": code, "minerals": [of], "stage": "processing", "fraction": fraction}
    changes = [lost]
    if had > 0:
        changes.append(
            {"change": "add_capacity", "country": code, "mineral": of, "stage": "processing", "share": fraction * had}
        )
    assert everything(played(world, *changes).after) == everything(world)


@given(worlds)
def test_a_restriction_imposed_and_lifted_changes_nothing(world: World) -> None:
    free = played(world, {"change": "lift_restriction", "country": "CCC"}).after
    assert all(row.country != "CCC" for row in free.restrictions.values())
    made = played(
        free,
        {"change": "impose_restriction", "country": "CCC", "type": "ban", "minerals": ["tin"]},
        {"change": "lift_restriction", "country": "CCC", "minerals": ["tin"]},
    )
    assert everything(made.after) == everything(free)


@given(worlds, st.sampled_from(CODES))
def test_joining_and_leaving_a_bloc_changes_nothing(world: World, code: str) -> None:
    if "PACT" in world.blocs_of(code, DAY):
        changes = ({"change": "leave_bloc", "country": code, "bloc": "PACT"}, {"change": "join_bloc"})
    else:
        changes = ({"change": "join_bloc", "country": code, "bloc": "PACT"}, {"change": "leave_bloc"})
    made = played(world, changes[0], {**changes[0], **changes[1]})
    assert everything(made.after) == everything(world)


@given(worlds)
def test_no_agreements_give_the_base_score(world: World) -> None:
    """What is left are home and the restrictions: as if no rung below home were worth anything and no clause stood."""
    bare = without(world)
    assert everything(bare) == everything(replace(bare, provisions={}).changed(), NO_TIES)
    assert everything(bare) == everything(world.changed(provisions={}), NO_TIES)


@given(worlds)
def test_memoranda_alone_at_one_give_the_base_score(world: World) -> None:
    """The ladder with every non-binding tier at 1 reproduces the score without agreements."""
    memoranda = {name: row for name, row in world.agreements.items() if row.binding == "no"}
    soft = world.changed(agreements=memoranda)
    ladder = LADDER.replace(programme=1.0, memorandum=1.0, forum=1.0)
    assert everything(soft, ladder) == everything(without(soft))


@settings(max_examples=40)
@given(worlds, st.sampled_from(BUYERS))
def test_an_ended_agreement_has_no_effect(world: World, buyer: str) -> None:
    for row in world.agreements.values():
        ended = played(world, {"change": "terminate", "agreement": row.id}).after
        told = Effect(ended, ended.agreements[row.id], buyer, DAY).told()
        assert all(each.difference_unrounded in (0.0, None) for each in told.minerals)
        assert scores(ended, buyer) == scores(without(world, row.id), buyer)


@settings(max_examples=40)
@given(worlds, parties, st.sampled_from(NONBINDING))
def test_a_memorandum_never_beats_a_binding_instrument_of_the_same_scope(
    world: World, of: list[str], kind: str
) -> None:
    soft = played(world, {"change": "sign", "agreement": new("made-up", *of, type=kind, binding=False)}).after
    for change in ("sign", "bring_into_force"):
        hard = played(world, {"change": change, "agreement": new("made-up", *of)}).after
        for buyer in BUYERS:
            assert all(a <= b for a, b in zip(scores(hard, buyer), scores(soft, buyer), strict=True))


@given(worlds, parties)
def test_a_clause_against_restrictions_matters_only_where_there_is_one(world: World, of: list[str]) -> None:
    def made(clause: bool) -> World:
        agreed = new("made-up", *of, no_export_restriction=clause)
        return played(world, {"change": "bring_into_force", "agreement": agreed}).after

    with_clause, plain = made(True), made(False)
    for buyer in BUYERS:
        clause, none = score_all(with_clause, buyer, DAY), score_all(plain, buyer, DAY)
        restricted = np.array([none.terms.at(row).restricted for row in range(len(none.terms.kind))], dtype=np.bool_)
        assert np.array_equal(clause.scores.stages.factor[~restricted], none.scores.stages.factor[~restricted])
        assert (clause.scores.stages.factor <= none.scores.stages.factor).all()


UNRELATED: tuple[dict[str, Any], ...] = (
    {"change": "bring_into_force", "agreement": new("made-up", "AAA", "PACT")},
    {"change": "impose_restriction", "country": "EEE", "type": "quota", "minerals": ["tin"]},
    {"change": "set_governance", "country": "DDD", "weight": 0.9},
    {"change": "lose_supplier", "country": "BBB", "fraction": 0.5},
    {"change": "lose_supplier", "country": "CCC", "minerals": ["cobalt"], "fraction": 0.25},
    {"change": "join_bloc", "country": "EEE", "bloc": "UNION"},
    {"change": "set_ladder", "steps": {"forum": 0.9}},
)


@given(worlds, st.permutations(UNRELATED))
def test_the_order_of_changes_that_touch_different_things_does_not_matter(
    world: World, order: Sequence[dict[str, Any]]
) -> None:
    one, other = played(world, *UNRELATED), played(world, *order)
    assert one.ladder_after == other.ladder_after
    for buyer in BUYERS:
        expected = scores(one.after, buyer, one.ladder_after)
        assert scores(other.after, buyer, other.ladder_after) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=40)
@given(worlds)
def test_the_order_of_output_lost_and_added_does_not_matter(world: World) -> None:
    changes: list[dict[str, Any]] = [
        {"change": "lose_supplier", "country": "AAA", "minerals": ["tin"]},
        {"change": "lose_supplier", "country": "BBB", "minerals": ["tin"], "fraction": 0.5},
        {"change": "add_capacity", "country": "AAA", "mineral": "tin", "stage": "processing", "share": 0.25},
    ]
    expected = everything(played(world, *changes).after)
    assert all(everything(played(world, *order).after) == expected for order in permutations(changes))


@given(worlds, st.sampled_from(CODES), st.floats(0, 1))
def test_a_coalition_of_one_is_its_country(world: World, code: str, home: float) -> None:
    """Whatever the ladder: home is home."""
    defined = played(world, {"change": "define_bloc", "id": "MINE", "members": [code]}).before
    for ladder in (LADDER, LADDER.replace(home=home)):
        assert scores(defined, "MINE", ladder) == scores(world, code, ladder)
        assert scores(world, f"{code},{code}", ladder) == scores(world, code, ladder)


@given(worlds)
def test_a_coalition_is_read_as_a_bloc_of_the_same_members(world: World) -> None:
    """One the request defines, one it writes down, and one on record."""
    bare = replace(without(world), restrictions={}).changed()
    defined = played(bare, {"change": "define_bloc", "id": "MINE", "members": ["AAA", "BBB"]}).before
    assert scores(defined, "MINE") == scores(bare, "AAA,BBB") == scores(bare, "UNION")


@given(worlds)
def test_defining_a_coalition_ties_nobody(world: World) -> None:
    defined = played(world, {"change": "define_bloc", "id": "MINE", "members": list(CODES)}).before
    assert everything(defined) == everything(world)


@settings(max_examples=40)
@given(worlds, st.sampled_from(BUYERS), st.sampled_from(MINERALS))
def test_the_parts_of_agreements_sum_to_the_whole(world: World, buyer: str, of: str) -> None:
    found = contributions(world, of, buyer, DAY)
    before, after = (side.scores.mineral(world.mineral_index[of]).score for side in (found.without, found.as_is))
    if before is not None and after is not None:
        assert sum(part.points for part in found.agreements) == pytest.approx(after - before, abs=1e-9)
        assert all(part.points <= 1e-12 for part in found.agreements)


@settings(max_examples=40)
@given(worlds, st.sampled_from(CODES))
def test_an_agreement_that_makes_no_tie_and_lifts_nothing_has_no_part(world: World, buyer: str) -> None:
    for of in MINERALS:
        parts = {part.agreement.id for part in contributions(world, of, buyer, DAY).agreements}
        for row in world.agreements.values():
            if row.id not in parts:
                index = world.mineral_index[of]
                assert scores(world, buyer)[index] == scores(without(world, row.id), buyer)[index]


@given(worlds, st.sampled_from(CODES), st.floats(0.01, 1))
def test_what_is_lost_is_neither_hidden_nor_spread(world: World, code: str, fraction: float) -> None:
    """Output times shares is what each other supplier had before, and the remainder stays the same amount."""
    for shock in played(world, {"change": "lose_supplier", "country": code, "fraction": fraction}).shocks:
        left = {name: part * shock.output for name, part in shock.after.by_country.items()}
        expected = shock.before.by_country | {code: shock.before.by_country[code] * (1 - fraction)}
        assert left == pytest.approx({name: part for name, part in expected.items() if part > NOTHING}, abs=1e-9)
        assert shock.output * (1 - shock.after.named) == pytest.approx(1 - shock.before.named, abs=1e-9)
        assert shock.lost == pytest.approx(1 - shock.output)


@settings(max_examples=40)
@given(worlds, st.lists(st.sampled_from(UNRELATED), min_size=1, max_size=4, unique_by=id))
def test_the_interval_of_a_difference_holds_it(world: World, changes: list[dict[str, Any]]) -> None:
    request = msgspec.convert({"changes": changes, "buyers": list(BUYERS)}, Scenario)
    for result in Played.of(world, request, DAY).told(None).results:
        if result.interval is not None and result.difference is not None:
            assert result.interval.low <= result.difference <= result.interval.high


@given(worlds, st.sampled_from(MINERALS), st.sampled_from(CODES), st.sampled_from(CODES))
def test_more_than_there_is_cannot_be_moved(world: World, of: str, giver: str, taker: str) -> None:
    had = world.share_set(of, "processing", DAY).by_country[giver]  # type: ignore[union-attr]
    move = {"change": "move_share", "mineral": of, "stage": "processing", "from": giver, "to": taker}
    if giver != taker and had < 0.9:
        with pytest.raises(ChangeError, match=giver):
            played(world, {**move, "share": had + 0.1})
    if had > 0:
        moved = played(world, {**move, "share": had}).after.share_set(of, "processing", DAY)
        assert moved is not None
        assert sum(moved.by_country.values()) == pytest.approx(
            sum(world.share_set(of, "processing", DAY).by_country.values())  # type: ignore[union-attr]
        )


@given(worlds, st.sampled_from(BUYERS), st.floats(0, 1), st.floats(0, 1))
def test_control_moves_output_between_owners_and_leaves_its_sum(
    world: World, buyer: str, one: float, other: float
) -> None:
    def owned(controller: str, part: float) -> Control:
        return Control(
            source=SOURCE,
            mineral="tin",
            stage="processing",
            host="AAA",
            controller=controller,
            year=2023,
            share=part,
            printed="",
            evidence_level="study",
        )

    known = world.changed(controls=(owned("BBB", one), owned("CCC", other)))
    by_control = attributed(known, "control", DAY).share_set("tin", "processing", DAY)
    by_territory = world.share_set("tin", "processing", DAY)
    assert by_control is not None
    assert by_territory is not None
    assert by_control.named == pytest.approx(by_territory.named)
    assert attributed(world, "control", DAY).share_sets == world.share_sets
    assert scores(attributed(world, "control", DAY), buyer) == scores(world, buyer)
