"""What stands between a buyer and a country on a day."""

from __future__ import annotations

from datetime import date
from typing import Any, NamedTuple

import pytest

from service.risk.partners import LADDER, Tier
from service.world.position import NOBODY, Positions
from service.world.rows import Provision, Row
from service.world.world import STAGES, World
from tests.evidence import SOURCE, agreement, bloc, country, listing, membership, mineral, restriction, world_of

DAY = date(2025, 1, 1)
COUNTRIES = [country(code) for code in ("AAA", "BBB", "CCC", "DDD", "EEE")]
MINERALS = [
    mineral("cobalt"),
    mineral("neodymium"),
    mineral("dysprosium"),
    mineral("rare-earths", members=("neodymium", "dysprosium")),
]


class Between(NamedTuple):
    """What stands between: the tie and the names of what makes it."""

    tie: Tier
    agreement: str | None = None
    restriction: str | None = None
    protector: str | None = None


def a_world(*rows: Row) -> World:
    return world_of(COUNTRIES, MINERALS, *rows)


def between(
    world: World,
    buyer: str,
    supplier: str,
    of: str = "cobalt",
    stage: str = "processing",
    on: date = DAY,
    ladder: Any = LADDER,
) -> Between:
    position = Positions(world, on, ladder).of(buyer)
    cell = STAGES.index(stage), world.mineral_index[of], world.country_index[supplier]  # type: ignore[arg-type]

    def name(place: int, rows: dict[str, Any]) -> str | None:
        return None if place == NOBODY else [*rows][place]

    return Between(
        Tier(int(position.tier[cell])),
        name(int(position.agreement[cell]), world.agreements),
        name(int(position.restriction[cell]), world.restrictions),
        name(int(position.protector[cell]), world.agreements),
    )


def pact(name: str, *parties: str, **more: Any) -> Row:
    """A binding agreement in force."""
    return agreement(name, *parties, **{"type": "trade_agreement", "binding": "yes", "in_force": "2023-01-01"} | more)


def clause(of: str, **more: Any) -> Provision:
    """A binding clause that forbids restricting exports."""
    fields = {"id": f"{of}-clause", "agreement": of, "type": "no_export_restriction", "binding": "yes"}
    return Provision(**fields | {"text": "none", "evidence_level": "official_text", "source": SOURCE} | more)


def test_a_country_is_home_to_itself() -> None:
    assert between(a_world(), "AAA", "AAA") == Between(Tier.HOME)


def test_without_anything_there_is_no_tie() -> None:
    assert between(a_world(), "AAA", "BBB") == Between(Tier.NONE)


def test_an_agreement_ties_both_ways() -> None:
    world = a_world(agreement("ab", "AAA", "BBB"))
    for buyer, supplier in (("AAA", "BBB"), ("BBB", "AAA")):
        assert between(world, buyer, supplier) == Between(Tier.MEMORANDUM, "ab")
    assert between(world, "AAA", "CCC") == Between(Tier.NONE)


def test_an_agreement_counts_from_its_day_and_no_longer_than_it_lasts() -> None:
    world = a_world(pact("ab", "AAA", "BBB", signed="2024-01-01", in_force="2024-06-01", ended="2025-01-01"))
    expected = {
        date(2023, 12, 31): Tier.NONE,
        date(2024, 1, 1): Tier.BINDING_SIGNED,
        date(2024, 6, 1): Tier.BINDING,
        date(2024, 12, 31): Tier.BINDING,
        date(2025, 1, 1): Tier.NONE,
    }
    assert {day: between(world, "AAA", "BBB", on=day).tie for day in expected} == expected


@pytest.mark.parametrize(
    ("kind", "binding", "tie"),
    [
        ("trade_agreement", "yes", Tier.BINDING_SIGNED),
        ("trade_agreement", "not_stated", Tier.PROGRAMME),
        ("framework", "no", Tier.PROGRAMME),
        ("action_plan", "not_stated", Tier.PROGRAMME),
        ("strategic_partnership", "no", Tier.PROGRAMME),
        ("memorandum", "not_stated", Tier.MEMORANDUM),
        ("letter_of_intent", "no", Tier.MEMORANDUM),
        ("joint_statement", "no", Tier.FORUM),
        ("forum", "no", Tier.FORUM),
        ("relief", "yes", Tier.NONE),
    ],
)
def test_a_signed_agreement_is_worth_what_it_is(kind: str, binding: str, tie: Tier) -> None:
    """Bindingness that is not stated takes the weaker rung; a relief lifts restrictions and ties nobody."""
    world = a_world(agreement("ab", "AAA", "BBB", type=kind, binding=binding))
    assert between(world, "AAA", "BBB").tie is tie


def test_ties_never_stack_the_best_counts() -> None:
    world = a_world(
        agreement("ab-mou", "AAA", "BBB"),
        pact("ab-pact", "AAA", "BBB"),
        agreement("ab-talk", "AAA", "BBB", type="forum"),
    )
    assert between(world, "AAA", "BBB") == Between(Tier.BINDING, "ab-pact")


def test_of_equal_ties_the_older_makes_it() -> None:
    world = a_world(
        agreement("a-newer", "AAA", "BBB", signed="2023-01-01"), agreement("z-older", "AAA", "BBB", signed="2021-01-01")
    )
    assert between(world, "AAA", "BBB").agreement == "z-older"


def test_which_tie_is_best_is_the_ladders_to_say() -> None:
    world = a_world(agreement("mou", "AAA", "BBB"), agreement("talk", "AAA", "BBB", type="forum"))
    assert between(world, "AAA", "BBB").agreement == "mou"
    assert between(world, "AAA", "BBB", ladder=LADDER.replace(forum=0.5)).agreement == "talk"


def test_an_agreement_covers_the_minerals_and_stages_it_names() -> None:
    """A group stands for its members, and all of its members for the group."""
    world = a_world(
        agreement("ab", "AAA", "BBB", scope="named", minerals=("rare-earths",), stages=("extraction",)),
        agreement("ac", "AAA", "CCC", scope="named", minerals=("neodymium",)),
        agreement("ad", "AAA", "DDD", scope="named", minerals=("neodymium", "dysprosium")),
    )
    assert between(world, "AAA", "BBB", "neodymium", "extraction").agreement == "ab"
    assert between(world, "AAA", "BBB", "neodymium", "processing").agreement is None
    assert between(world, "AAA", "BBB", "cobalt", "extraction").agreement is None
    assert between(world, "AAA", "CCC", "neodymium").agreement == "ac"
    assert between(world, "AAA", "CCC", "rare-earths").agreement is None
    assert between(world, "AAA", "DDD", "rare-earths").agreement == "ad"


def test_critical_minerals_are_those_on_the_buyers_list_of_the_day() -> None:
    """Its own, else its bloc's, else any party's; where no list was in force, none."""
    parts = [
        bloc("CLUB"),
        membership("CLUB", "AAA"),
        listing("aaa-list", "AAA", "cobalt", valid_from="2024-01-01"),
        listing("club-list", "CLUB", "neodymium", valid_from="2022-01-01"),
        agreement("ab", "AAA", "BBB", scope="critical"),
        agreement("cd", "CCC", "DDD", scope="critical"),
    ]
    world = a_world(*parts)
    own, early = date(2024, 1, 1), date(2023, 12, 31)
    assert between(world, "AAA", "BBB", "cobalt", on=own).agreement == "ab"
    assert between(world, "AAA", "BBB", "neodymium", on=own).agreement is None
    assert between(world, "AAA", "BBB", "neodymium", on=early).agreement == "ab"
    assert between(world, "AAA", "BBB", "cobalt", on=early).agreement is None
    assert between(world, "BBB", "AAA", "cobalt", on=own).agreement == "ab"
    assert between(world, "CCC", "DDD", "cobalt", on=own).agreement is None


def test_a_single_market_ties_its_members() -> None:
    world = a_world(bloc("MARKET", type="single_market"), membership("MARKET", "AAA"), membership("MARKET", "BBB"))
    assert between(world, "AAA", "BBB") == Between(Tier.SINGLE_MARKET)
    assert between(world, "AAA", "CCC") == Between(Tier.NONE)


@pytest.mark.parametrize("kind", ["group", "forum"])
def test_a_mere_group_ties_nobody(kind: str) -> None:
    world = a_world(bloc("CLUB", type=kind), membership("CLUB", "AAA"), membership("CLUB", "BBB"))
    assert between(world, "AAA", "BBB") == Between(Tier.NONE)


def test_a_member_is_in_the_market_from_its_first_day_to_the_day_before_its_last() -> None:
    world = a_world(
        bloc("MARKET", type="customs_union"),
        membership("MARKET", "AAA"),
        membership("MARKET", "BBB", "2024-01-01", valid_to="2025-01-01"),
    )
    days = {date(2023, 12, 31): Tier.NONE, date(2024, 1, 1): Tier.SINGLE_MARKET, date(2024, 12, 31): Tier.SINGLE_MARKET}
    days[date(2025, 1, 1)] = Tier.NONE
    assert {day: between(world, "AAA", "BBB", on=day).tie for day in days} == days


def test_a_bloc_s_agreement_is_each_members_while_it_belongs() -> None:
    world = a_world(
        bloc("CLUB"),
        membership("CLUB", "AAA"),
        membership("CLUB", "BBB", "2024-06-01"),
        agreement("club-c", "CLUB", "CCC"),
    )
    for member in ("AAA", "BBB"):
        assert between(world, member, "CCC").agreement == "club-c"
        assert between(world, "CCC", member).agreement == "club-c"
    assert between(world, "BBB", "CCC", on=date(2024, 5, 31)).tie is Tier.NONE
    assert between(world, "CCC", "BBB", on=date(2024, 5, 31)).tie is Tier.NONE


def test_an_agreement_with_a_bloc_does_not_tie_its_members_with_each_other() -> None:
    world = a_world(
        bloc("CLUB"), membership("CLUB", "AAA"), membership("CLUB", "BBB"), agreement("club-c", "CLUB", "CCC")
    )
    assert between(world, "AAA", "BBB") == Between(Tier.NONE)


def test_an_agreement_of_a_bloc_alone_ties_its_members_with_each_other() -> None:
    """A partnership's founding paper: everybody who is in it on the day."""
    world = a_world(
        bloc("MSP", type="forum"),
        membership("MSP", "AAA", valid_to="2026-02-04"),
        membership("MSP", "BBB", valid_to="2026-02-04"),
        agreement("msp", "MSP", type="forum", ended="2026-02-04"),
    )
    assert between(world, "AAA", "BBB") == Between(Tier.FORUM, "msp")
    assert between(world, "AAA", "CCC") == Between(Tier.NONE)
    assert between(world, "AAA", "BBB", on=date(2026, 2, 4)) == Between(Tier.NONE)


def test_several_parties_are_all_tied_with_each_other() -> None:
    world = a_world(agreement("abc", "AAA", "BBB", "CCC", type="joint_statement"))
    for buyer, supplier in (("AAA", "BBB"), ("BBB", "CCC"), ("CCC", "AAA")):
        assert between(world, buyer, supplier) == Between(Tier.FORUM, "abc")


def test_home_is_home_whatever_else_is_agreed() -> None:
    world = a_world(bloc("CLUB"), membership("CLUB", "AAA"), membership("CLUB", "BBB"), pact("club", "CLUB"))
    assert between(world, "AAA", "AAA") == Between(Tier.HOME)


def test_a_bloc_buys_with_the_weakest_tie_of_its_members() -> None:
    """Its own agreements are its members' too."""
    rows = [bloc("CLUB"), membership("CLUB", "AAA"), membership("CLUB", "BBB")]
    world = a_world(
        *rows,
        pact("ac", "AAA", "CCC"),
        agreement("bc", "BBB", "CCC"),
        pact("ad", "AAA", "DDD"),
        agreement("club-e", "CLUB", "EEE"),
    )
    assert between(world, "CLUB", "CCC") == Between(Tier.MEMORANDUM, "bc")
    assert between(world, "CLUB", "DDD") == Between(Tier.NONE)
    assert between(world, "CLUB", "EEE") == Between(Tier.MEMORANDUM, "club-e")
    assert between(world, "CLUB", "AAA") == between(world, "CLUB", "BBB") == Between(Tier.HOME)


def test_a_bloc_without_known_members_has_its_own_agreements_only() -> None:
    world = a_world(bloc("FORGE", type="forum"), agreement("forge-c", "FORGE", "CCC"))
    assert between(world, "FORGE", "CCC") == Between(Tier.MEMORANDUM, "forge-c")
    assert between(world, "FORGE", "AAA") == Between(Tier.NONE)


def test_a_bloc_of_one_is_its_country() -> None:
    world = a_world(
        bloc("SOLO"),
        membership("SOLO", "AAA"),
        pact("ab", "AAA", "BBB"),
        restriction("ban", "CCC", "cobalt", targets=("AAA",)),
    )
    for supplier in ("AAA", "BBB", "CCC", "DDD"):
        assert between(world, "SOLO", supplier) == between(world, "AAA", supplier)


def test_a_restriction_hits_everybody_or_those_it_is_aimed_at() -> None:
    """A bloc that is aimed at is each of its members."""
    world = a_world(
        bloc("CLUB"),
        membership("CLUB", "AAA"),
        restriction("all", "CCC", "cobalt"),
        restriction("club", "DDD", "cobalt", targets=("CLUB",)),
        restriction("one", "EEE", "cobalt", targets=("BBB",)),
    )
    assert [between(world, "AAA", supplier).restriction for supplier in ("CCC", "DDD", "EEE")] == ["all", "club", None]
    assert [between(world, "BBB", supplier).restriction for supplier in ("CCC", "DDD", "EEE")] == ["all", None, "one"]
    assert between(world, "CLUB", "DDD").restriction == "club"


def test_the_strongest_restriction_counts() -> None:
    """By the strength its source gives, else by the ladder's; a bloc faces the strongest any member faces."""
    world = a_world(
        bloc("CLUB"),
        membership("CLUB", "AAA"),
        membership("CLUB", "BBB"),
        restriction("licence", "CCC", "cobalt", type="licence"),
        restriction("tax", "CCC", "cobalt", type="tax", factor=1.45),
        restriction("ban", "CCC", "cobalt", type="ban", targets=("BBB",)),
    )
    assert between(world, "AAA", "CCC").restriction == "tax"
    assert between(world, "BBB", "CCC").restriction == "ban"
    assert between(world, "CLUB", "CCC").restriction == "ban"


def test_a_restriction_is_on_the_stages_it_names() -> None:
    world = a_world(restriction("ore", "CCC", "cobalt", stages=("extraction",)))
    assert between(world, "AAA", "CCC", stage="extraction").restriction == "ore"
    assert between(world, "AAA", "CCC", stage="processing").restriction is None


def test_a_binding_clause_in_force_forbids_a_restriction() -> None:
    """Not one that is only signed, not a pledge, and not for anybody it does not oblige."""
    ban = restriction("ban", "BBB", "cobalt")
    assert between(a_world(ban, pact("ab", "AAA", "BBB"), clause("ab")), "AAA", "BBB") == Between(
        Tier.BINDING, "ab", "ban", "ab"
    )
    for rows in (
        [pact("ab", "AAA", "BBB", in_force=None), clause("ab")],
        [pact("ab", "AAA", "BBB"), clause("ab", binding="no")],
        [pact("ab", "AAA", "BBB"), clause("ab", obliges=("AAA",))],
        [pact("ab", "AAA", "BBB"), clause("ab", minerals=("neodymium",))],
        [pact("ab", "AAA", "BBB"), clause("ab", forbids=("tax",))],
        [agreement("ab", "AAA", "BBB", in_force="2023-01-01"), clause("ab")],
    ):
        assert between(a_world(ban, *rows), "AAA", "BBB").protector is None


def test_a_bloc_is_protected_where_all_its_members_are() -> None:
    rows = [bloc("CLUB"), membership("CLUB", "AAA"), membership("CLUB", "BBB"), restriction("ban", "CCC", "cobalt")]
    one = [*rows, pact("ac", "AAA", "CCC"), clause("ac")]
    assert between(a_world(*one), "CLUB", "CCC").protector is None
    both = [*one, pact("bc", "BBB", "CCC"), clause("bc")]
    assert between(a_world(*both), "CLUB", "CCC").protector is not None
