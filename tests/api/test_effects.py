"""What agreements do to scores, on the shipped evidence."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import AsyncClient

AFTER = {"as_of": "2026-02-05", "known_at": "1"}
DAY_BEFORE = {"as_of": "2026-02-03", "known_at": "1"}
MEMORANDA = [f"us-{country}-mou-2026" for country in ("argentina", "ecuador", "paraguay", "peru")]
"""The four South American memoranda of 4 February 2026."""
MINERALS = ("lithium", "copper", "silver", "zinc", "lead")


async def get(client: AsyncClient, path: str, **parameters: Any) -> Any:
    answer = await client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def effect(client: AsyncClient, agreement: str, buyer: str = "USA", **more: Any) -> dict[str, Any]:
    """The minerals an agreement touches, by their id."""
    told = await get(client, f"/v1/agreements/{agreement}/effect", buyer=buyer, **AFTER | more)
    return {each["mineral"]: each for each in told["minerals"]}


async def coverage(client: AsyncClient, mineral: str, **parameters: Any) -> dict[str, dict[str, float]]:
    """The split of a mineral's stages by tie for the USA."""
    score = await get(client, f"/v1/minerals/{mineral}/score", buyer="USA", **parameters)
    return {stage["stage"]: stage["partner_coverage"] for stage in score["stages"]}


@pytest.mark.parametrize("mineral", ["lithium", "silver", "lead"])
async def test_argentinas_memorandum_moves_what_it_supplies_a_little(client: AsyncClient, mineral: str) -> None:
    """Small, told in digits that show it, and as uncertain as the ladder: the range reaches zero."""
    told = (await effect(client, "us-argentina-mou-2026"))[mineral]
    assert -0.01 < told["difference"] < 0
    assert told["difference"] == pytest.approx(told["difference_unrounded"], rel=5e-3)
    assert told["interval"]["low"] <= told["difference"] < told["interval"]["high"] == 0
    assert told["reasons"] == []
    assert all(each["counts"] and each["tie"] == "memorandum" for each in told["suppliers"])


async def test_lithium_to_the_last_digit(client: AsyncClient) -> None:
    """Processing binds: H moves by 0.0545² · g(ARG) · (0.98 − 0.99), the forum of 2025 standing without it."""
    told = (await effect(client, "us-argentina-mou-2026"))["lithium"]
    score = await get(client, "/v1/minerals/lithium/score", buyer="USA", **AFTER)
    (binding,) = [stage for stage in score["stages"] if stage["stage"] == told["as_is"]["binding_stage"]]
    (argentina,) = [each for each in binding["suppliers"] if each["country"] == "ARG"]
    (supplier,) = [each for each in told["suppliers"] if each["stage"] == binding["stage"]]
    assert supplier["standing_without"] == "us-argentina-joint-statement-2025"
    h = binding["risk_concentration"]
    without = h + argentina["share"] ** 2 * argentina["governance"] * 0.01
    assert told["difference_unrounded"] == pytest.approx(100 * (h**0.5 - without**0.5), abs=1e-6)


@pytest.mark.parametrize("agreement", MEMORANDA)
async def test_only_suppliers_without_a_stronger_tie_gain(client: AsyncClient, agreement: str) -> None:
    for mineral, told in (await effect(client, agreement)).items():
        moved = [stage for stage in told["stages"] if stage["difference"]]
        counts = {each["stage"] for each in told["suppliers"] if each["counts"]}
        assert {stage["stage"] for stage in moved} == counts, mineral
        assert bool(told["difference"]) == (told["as_is"]["binding_stage"] in counts), mineral


@pytest.mark.parametrize("mineral", ["copper", "silver", "zinc", "lead"])
async def test_perus_memorandum_adds_nothing_beside_its_trade_agreement(client: AsyncClient, mineral: str) -> None:
    """The Trade Promotion Agreement has been in force since 2009."""
    told = (await effect(client, "us-peru-mou-2026"))[mineral]
    assert told["difference"] == told["difference_unrounded"] == 0
    assert told["interval"] == {"low": 0, "high": 0, "level": 0.9}
    assert told["reasons"] == ["another_tie_stands"]
    assert "us-peru-trade-2006 stands (binding)" in told["explanation"]
    assert all(each["standing"] == "us-peru-trade-2006" and each["tie"] == "binding" for each in told["suppliers"])


async def test_ecuador_and_paraguay_supply_none_of_the_five(client: AsyncClient) -> None:
    """No chosen source names them; the answer says which minerals that is true of."""
    for agreement in ("us-ecuador-mou-2026", "us-paraguay-mou-2026"):
        told = await get(client, f"/v1/agreements/{agreement}/effect", buyer="USA", **AFTER)
        touched = {each["mineral"] for each in told["minerals"]}
        assert touched.isdisjoint(MINERALS)
        assert set(told["not_supplied"]) >= set(MINERALS)


@pytest.mark.parametrize("agreement", MEMORANDA)
async def test_on_the_day_before_nothing_moves(client: AsyncClient, agreement: str) -> None:
    for told in (await effect(client, agreement, **DAY_BEFORE)).values():
        assert told["difference_unrounded"] in (0, None)
        assert told["reasons"] == ["not_in_force"]
        assert "pending (signed 2026-02-04)" in told["explanation"]


@pytest.mark.parametrize("buyer", ["EU", "JPN", "CHN", "ARG", "G7", "CAN,JPN"])
@pytest.mark.parametrize("agreement", MEMORANDA)
async def test_for_every_other_buyer_nothing_moves(client: AsyncClient, agreement: str, buyer: str) -> None:
    """Argentina is a party to its own memorandum, and what moves for it is what it has with the USA."""
    for told in (await effect(client, agreement, buyer)).values():
        if buyer == "ARG" and agreement.startswith("us-argentina"):
            assert {each["country"] for each in told["suppliers"]} == {"USA"}
        else:
            assert told["difference_unrounded"] in (0, None)
            assert told["reasons"][0] in ("not_a_party", "not_every_member")


@pytest.mark.parametrize("mineral", ["lithium", "silver"])
async def test_partner_coverage_moves_by_the_countrys_share(client: AsyncClient, mineral: str) -> None:
    told = (await effect(client, "us-argentina-mou-2026"))[mineral]
    before, after = [await coverage(client, mineral, **day) for day in (DAY_BEFORE, AFTER)]
    for supplier in told["suppliers"]:
        stage, share = supplier["stage"], supplier["share"]
        (moved,) = [each["coverage"] for each in told["stages"] if each["stage"] == stage]
        assert moved["memorandum"] == share
        assert moved[supplier["tie_without"]] == -share
        assert sum(value for name, value in moved.items() if name != "restricted") == 0
        others = {name: after[stage][name] - before[stage][name] for name in after[stage]}
        assert others["memorandum"] == pytest.approx(share, abs=1e-6)


@pytest.mark.parametrize("mineral", [*MINERALS, "cobalt", "nickel", "gallium"])
@pytest.mark.parametrize("buyer", ["USA", "EU", "JPN"])
async def test_the_parts_of_agreements_sum_to_the_whole(client: AsyncClient, mineral: str, buyer: str) -> None:
    told = await get(client, f"/v1/minerals/{mineral}/score/agreements", buyer=buyer, **AFTER)
    parts = [part["points_unrounded"] for part in told["parts"]]
    assert sum(parts) == pytest.approx(told["difference_unrounded"], abs=1e-9)
    assert parts == sorted(parts)
    score = await get(client, f"/v1/minerals/{mineral}/score", buyer=buyer, **AFTER)
    assert told["as_is"]["score"] == score["score"]


async def test_the_only_agreement_that_counts_has_the_whole_effect(client: AsyncClient) -> None:
    """Of gallium the USA has a tie with one supplier alone."""
    told = await get(client, "/v1/minerals/gallium/score/agreements", buyer="USA", **AFTER)
    (part,) = [part for part in told["parts"] if part["points"]]
    assert part["points_unrounded"] == told["difference_unrounded"]
    assert part["agreement"] == "us-japan-framework-2025"


async def test_a_step_of_the_ladder_changes_its_tie_and_is_told_back(client: AsyncClient) -> None:
    path = "/v1/minerals/lithium/score"
    plain = await client.get(path, params={"buyer": "USA", **AFTER})
    answer = await client.get(path, params={"buyer": "USA", "ladder": "memorandum:0.5", **AFTER})
    told = answer.json()
    assert plain.json()["ladder"] == {}
    assert told["ladder"] == {"memorandum": 0.5}
    assert answer.headers["etag"] != plain.headers["etag"]
    ties = {
        (each["tie"], each["partner_factor"])
        for stage in told["stages"]
        for each in stage["suppliers"]
        if each["restriction"] is None
    }
    assert ("memorandum", 0.5) in ties
    assert all(factor == 0.5 for tie, factor in ties if tie == "memorandum")
    again = await effect(client, "us-argentina-mou-2026", ladder="memorandum:0.5")
    assert again["lithium"]["difference"] < -0.05


@pytest.mark.parametrize("mineral", [*MINERALS, "cobalt"])
async def test_with_all_non_binding_tiers_at_one_memoranda_add_nothing(client: AsyncClient, mineral: str) -> None:
    """Saudi Arabia has nothing but memoranda and forums: the base score comes out."""
    flat = {"ladder": "programme:1,memorandum:1,forum:1"}
    told = await get(client, f"/v1/minerals/{mineral}/score/agreements", buyer="SAU", **flat, **AFTER)
    assert {part["tie"] for part in told["parts"]} <= {"programme", "memorandum", "forum"}
    assert told["difference_unrounded"] == 0


@pytest.mark.parametrize(
    "ladder", ["memorandum:1.5", "ban:0.5", "friendship:0.9", "memorandum", "memorandum:0.9;forum:1"]
)
async def test_a_ladder_that_is_none_is_refused_by_name(client: AsyncClient, ladder: str) -> None:
    answer = await client.get("/v1/minerals/lithium/score", params={"buyer": "USA", "ladder": ladder, **AFTER})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["parameter"] == "ladder"


async def test_a_coalition_is_written_as_a_list(client: AsyncClient) -> None:
    """In any order, and of one it is the country."""
    path = "/v1/minerals/cobalt/score"
    one, other = [await client.get(path, params={"buyer": buyer, **AFTER}) for buyer in ("USA,CAN", "CAN,USA")]
    assert one.json() == other.json()
    assert one.json()["buyer"] == "CAN,USA"
    assert one.headers["etag"] == other.headers["etag"]
    home = {each["country"] for stage in one.json()["stages"] for each in stage["suppliers"] if each["tie"] == "home"}
    assert home >= {"CAN"}
    alone = [(await client.get(path, params={"buyer": buyer, **AFTER})).json() for buyer in ("USA", "USA,USA")]
    assert alone[0] == alone[1]


async def test_a_coalition_of_the_g7_is_the_g7(client: AsyncClient) -> None:
    members = "CAN,DEU,FRA,GBR,ITA,JPN,USA"
    listed, named = [await get(client, "/v1/minerals/cobalt/score", buyer=buyer, **AFTER) for buyer in (members, "G7")]
    assert listed | {"buyer": "G7"} == named


async def test_what_no_coalition_can_be_of_is_refused(client: AsyncClient) -> None:
    """FORGE published no members."""
    for buyer, wrong in (("USA,XXX", "'XXX'"), ("FORGE,USA", "FORGE has no recorded members")):
        answer = await client.get("/v1/minerals/cobalt/score", params={"buyer": buyer, **AFTER})
        assert answer.status_code == 404
        assert wrong in answer.json()["detail"]


async def test_nickel_is_refined_by_territory_in_indonesia_and_by_control_in_china(client: AsyncClient) -> None:
    """Chinese firms own about 75 % of Indonesia's nickel refining capacity (C4ADS); IEA shares of 2024."""
    stages = {}
    for lens in ("territory", "control"):
        told = await get(client, "/v1/minerals/nickel/score", buyer="USA", attribution=lens, **AFTER)
        assert told["attribution"] == lens
        stages[lens] = next(stage for stage in told["stages"] if stage["stage"] == "processing")
    assert [each["country"] for each in stages["territory"]["suppliers"][:2]] == ["IDN", "CHN"]
    leader = stages["control"]["suppliers"][0]
    assert leader["country"] == "CHN"
    assert leader["share"] == pytest.approx(0.3132 + 0.75 * 0.4286)
    assert stages["control"]["score"] > stages["territory"]["score"] + 5
    assert "c4ads-refining-power-2025" in stages["control"]["sources"]
    assert stages["control"]["ownership"] == stages["territory"]["ownership"]
    assert stages["control"]["ownership"][0] | {"share": 0.32145, "part": 0.75} == stages["control"]["ownership"][0]
    assert "control_partly_known" in stages["control"]["flags"]


async def test_without_control_data_the_two_agree_and_the_answer_says_so(client: AsyncClient) -> None:
    territory, control = [
        await get(client, "/v1/minerals/gallium/score", buyer="USA", attribution=lens, **AFTER)
        for lens in ("territory", "control")
    ]
    assert "no_control_data" in control["flags"]
    assert "no_control_data" not in territory["flags"]
    for one, other in zip(territory["stages"], control["stages"], strict=True):
        assert {**one, "flags": []} == {**other, "flags": []}
    assert control["score"] == territory["score"]


async def test_before_the_figures_year_is_over_nobody_controls_anything(client: AsyncClient) -> None:
    day = {"as_of": "2023-12-30", "known_at": "1"}
    told = await get(client, "/v1/minerals/nickel/score", buyer="USA", attribution="control", **day)
    assert "no_control_data" in told["flags"]


async def test_offtake_leaves_less_to_the_market_but_not_for_who_takes_it(client: AsyncClient) -> None:
    """Japan has up to 75 % of what Malaysia separates of the magnet rare earths."""
    free = {}
    for buyer in ("USA", "JPN"):
        told = await get(client, "/v1/minerals/magnet-rare-earths/score", buyer=buyer, **AFTER)
        (stage,) = [stage for stage in told["stages"] if stage["stage"] == "processing"]
        free[buyer] = stage["available_to_market"]
        (taken,) = stage["offtake"]
        assert (taken["host"], taken["controller"], taken["part"]) == ("MYS", "JPN", 0.75)
    assert free["JPN"] - free["USA"] == pytest.approx(0.75 * 0.0449, abs=1e-6)


async def test_a_list_by_control_has_every_mineral(client: AsyncClient) -> None:
    told = await get(client, "/v1/scores", buyer="USA", attribution="control", limit=1000, **AFTER)
    plain = await get(client, "/v1/scores", buyer="USA", limit=1000, **AFTER)
    assert told["total"] == plain["total"]
    assert {row["attribution"] for row in told["items"]} == {"control"}
    scores = {row["mineral"]: row["score"] for row in plain["items"]}
    assert {row["mineral"] for row in told["items"] if row["score"] != scores[row["mineral"]]} == {"cobalt"}
