"""What would happen if, asked of the application over the shipped evidence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, get_args

import asyncpg
import pytest
from asyncpg import Connection, Record
from httpx import AsyncClient, Response

from schemas.change import Change
from service.app import create_app, openapi
from service.http.scenarios import EXAMPLE
from service.settings import Secret, Settings
from service.store import keys
from tests.evidence import agreement
from tests.serving import Service, asking

DAY = {"as_of": "2026-02-05", "known_at": 1}
G7 = ["CAN", "DEU", "FRA", "GBR", "ITA", "JPN", "USA"]
SECRET = Secret(b"a secret that only these tests know of")
LOSS = {"change": "lose_supplier", "country": "CHN", "minerals": ["magnet-rare-earths"], "stage": "processing"}


async def post(client: AsyncClient, *changes: dict[str, Any], **more: Any) -> Response:
    return await client.post("/v1/scenarios", json={"changes": list(changes), "buyers": ["USA"], **DAY} | more)


async def play(client: AsyncClient, *changes: dict[str, Any], **more: Any) -> Any:
    answer = await post(client, *changes, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()


def result(told: Any, mineral: str, buyer: str = "USA") -> Any:
    (found,) = [each for each in told["results"] if each["mineral"] == mineral and each["buyer"] == buyer]
    return found


def supply(told: Any, mineral: str, stage: str) -> Any:
    (found,) = [each for each in told["supply"] if (each["mineral"], each["stage"]) == (mineral, stage)]
    return found


async def test_china_losing_rare_earth_processing_leaves_nine_percent(client: AsyncClient) -> None:
    """91.28 % of what was refined of the magnet rare earths in 2024 was China's (IEA 2025)."""
    told = await play(client, LOSS)
    stage = supply(told, "magnet-rare-earths", "processing")
    assert stage["to_replace"]["share"] == 0.9128
    assert stage["remaining_output"] == stage["n_minus_one"] == 0.0872
    assert stage["growth_needed"] == pytest.approx(0.9128 / 0.0872, abs=1e-6)
    assert stage["suppliers"][0] == {"country": "MYS", "share_of_former_output": 0.0449, "share": 0.514908}
    assert stage["n_minus_one_after"] == pytest.approx(0.0872 - 0.0449, abs=1e-6)


async def test_what_is_left_is_scored_as_such_and_said_to_be(client: AsyncClient) -> None:
    """With Malaysia at half of the little that is left the score falls: it speaks of that output alone."""
    told = await play(client, LOSS)
    found = result(told, "magnet-rare-earths")
    assert (found["before"]["band"], found["after"]["band"]) == ("extreme", "high")
    assert found["band_changed"]
    assert not found["binding_stage_changed"]
    assert found["interval"]["low"] <= found["difference"] <= found["interval"]["high"] < 0
    assert found["to_replace"] == [{"country": "*", "share": 0.9128, "quantity": None}]
    assert any("bounds of exposure, not forecasts" in caveat for caveat in told["caveats"])
    assert any("output that is left" in caveat for caveat in told["caveats"])


async def test_a_group_loses_with_its_members_and_who_is_alone_leaves_nothing(client: AsyncClient) -> None:
    """All dysprosium is separated in China (EU study of 2023): no score can say what is left of nothing."""
    found = result(await play(client, LOSS), "dysprosium")
    assert found["no_output_left"]
    assert found["difference"] is found["interval"] is None
    assert "understated" in found["after"]["flags"]


async def test_what_a_buyer_gets_from_there_is_told_where_a_source_says_it(client: AsyncClient) -> None:
    """71 % of US imports of rare-earth compounds and metals of 2021 to 2024 came from China (USGS 2026)."""
    lost = {"change": "lose_supplier", "country": "CHN", "minerals": ["neodymium"], "stage": "processing"}
    told = await play(client, {**lost, "fraction": 0.5}, buyers=["USA", "JPN"])
    (loss,) = result(told, "neodymium")["buyer_loss"]
    assert (loss["mineral"], loss["of"], loss["period"]) == ("rare-earths", "imports", "2021-2024")
    assert loss["share"] == pytest.approx(0.71 / 2)
    assert result(told, "neodymium", "JPN")["buyer_loss"] == []


async def test_the_volume_to_replace_is_told_in_the_sources_unit(client: AsyncClient) -> None:
    """China mined 270,000 of 390,000 t of rare-earth oxides in 2025 (USGS 2026)."""
    lost = {"change": "lose_supplier", "country": "CHN", "minerals": ["rare-earths"], "stage": "extraction"}
    stage = supply(await play(client, lost | {"fraction": 0.5}), "rare-earths", "extraction")
    assert (stage["unit"], stage["world_quantity"]) == ("metric tons, rare-earth-oxide (REO) equivalent", 390000)
    assert stage["to_replace"] == {"country": "*", "share": pytest.approx(0.346154), "quantity": 135000}


async def test_junin_helps_when_it_runs_and_little(client: AsyncClient) -> None:
    """A find without a capacity: how much is the caller's assumption, and its caveats travel with it."""
    junin = {"change": "add_capacity", "deposit": "junin-rare-earths", "mineral": "rare-earths", "share": 0.01}
    early = await play(client, junin | {"start": 2032}, minerals=["rare-earths"])
    assert result(early, "rare-earths")["difference"] == 0
    assert early["notes"][0]["note"].startswith("it starts in 2032")
    late = await play(client, junin | {"start": 2032}, as_of="2033-01-01")
    found = result(late, "rare-earths")
    assert -2 < found["difference"] < 0
    assert supply(late, "rare-earths", "extraction")["remaining_output"] == 1.01
    assert any("no specific rules yet" in caveat for caveat in late["caveats"])


async def test_a_project_with_a_capacity_needs_no_assumption(client: AsyncClient) -> None:
    """Falchani in Puno: 4,348 t of lithium a year beside 290,000 t mined in 2025."""
    told = await play(client, {"change": "add_capacity", "deposit": "puno-falchani-lithium"})
    stage = supply(told, "lithium", "extraction")
    assert stage["added"] == [{"country": "PER", "share": pytest.approx(4348 / 290000, abs=1e-6), "quantity": 4348}]


async def test_after_a_loss_new_capacity_shows_how_little_it_is(client: AsyncClient) -> None:
    added = {"change": "add_capacity", "country": "PER", "stage": "processing", "mineral": "magnet-rare-earths"}
    stage = supply(await play(client, LOSS, added | {"share": 0.01}), "magnet-rare-earths", "processing")
    assert stage["remaining_output"] == 0.0972
    assert stage["n_minus_one"] == 0.0872
    assert {"country": "PER", "share_of_former_output": 0.01, "share": pytest.approx(0.01 / 0.0972, abs=1e-6)} in stage[
        "suppliers"
    ]


async def test_every_mineral_for_the_g7(client: AsyncClient) -> None:
    told = await play(client, {"change": "lose_supplier", "country": "CHN"}, buyers=[*G7, "G7"])
    assert {each["buyer"] for each in told["results"]} == {*G7, "G7"}
    assert len({each["mineral"] for each in told["results"]}) > 70


async def test_minerals_that_do_not_move_are_told_where_they_are_named(client: AsyncClient) -> None:
    told = await play(client, LOSS, minerals=["copper", "magnet-rare-earths"])
    assert [each["mineral"] for each in told["results"]] == ["copper", "magnet-rare-earths"]
    copper = result(told, "copper")
    assert copper["difference"] == copper["difference_unrounded"] == 0
    assert copper["interval"] == {"low": 0, "high": 0, "level": 0.9}
    assert copper["before"] == copper["after"]
    assert copper["stages"] == []


async def test_a_signed_agreement_is_one_the_ledger_has_not(client: AsyncClient) -> None:
    new = {"id": "us-chn-treaty", "type": "trade_agreement", "binding": True, "parties": ["USA", "CHN"]}
    told = await play(
        client, {"change": "bring_into_force", "agreement": new}, minerals=["gallium"], buyers=["USA", "JPN"]
    )
    assert result(told, "gallium")["difference"] < 0
    assert result(told, "gallium", "JPN")["difference"] == 0
    (stage,) = result(told, "gallium")["stages"]
    assert stage["coverage"]["binding"] == -stage["coverage"]["none"] > 0.9


async def test_a_clause_lifts_a_restriction(client: AsyncClient) -> None:
    new = {"id": "us-chn-treaty", "type": "trade_agreement", "binding": True, "parties": ["USA", "CHN"]}
    made = {"change": "bring_into_force", "agreement": new}
    plain = await play(client, made, minerals=["gallium"])
    clause = await play(client, {**made, "agreement": {**new, "no_export_restriction": True}}, minerals=["gallium"])
    assert result(clause, "gallium")["difference"] < result(plain, "gallium")["difference"]


async def test_a_known_agreement_is_ended(client: AsyncClient) -> None:
    told = await play(client, {"change": "terminate", "agreement": "us-argentina-mou-2026"}, minerals=["lithium"])
    effect = await client.get("/v1/agreements/us-argentina-mou-2026/effect", params={"buyer": "USA", **DAY})
    (lithium,) = [each for each in effect.json()["minerals"] if each["mineral"] == "lithium"]
    assert result(told, "lithium")["difference_unrounded"] == -lithium["difference_unrounded"]


async def test_a_restriction_is_imposed_on_one_buyer_and_lifted_for_another(client: AsyncClient) -> None:
    ban = {"change": "impose_restriction", "country": "AUS", "type": "ban", "minerals": ["lithium"], "buyers": ["USA"]}
    told = await play(client, ban, buyers=["USA", "JPN"], minerals=["lithium"])
    assert result(told, "lithium")["stages"]
    assert not result(told, "lithium", "JPN")["stages"]
    lifted = {"change": "lift_restriction", "country": "CHN", "minerals": ["gallium"], "buyers": ["JPN"]}
    told = await play(client, lifted, buyers=["USA", "JPN"], minerals=["gallium"])
    assert result(told, "gallium", "JPN")["difference"] < 0
    assert result(told, "gallium")["difference"] == 0


async def test_governance_is_set(client: AsyncClient) -> None:
    told = await play(client, {"change": "set_governance", "country": "CHN", "weight": 1}, minerals=["gallium"])
    assert result(told, "gallium")["after"]["score"] == 100


async def test_a_share_moves_without_a_loss(client: AsyncClient) -> None:
    move = {
        "change": "move_share",
        "mineral": "cobalt",
        "stage": "extraction",
        "from": "COD",
        "to": "AUS",
        "share": 0.1,
    }
    stage = supply(await play(client, move), "cobalt", "extraction")
    assert (stage["lost"], stage["to_replace"], stage["remaining_output"]) == ([], None, 1)
    assert stage["moved"] == [{"country": "AUS", "share": 0.1, "quantity": None}]


async def test_a_country_joins_a_bloc_and_has_its_agreements(client: AsyncClient) -> None:
    told = await play(client, {"change": "join_bloc", "country": "NOR", "bloc": "EU"}, buyers=["NOR"])
    assert told["results"]
    left = await play(client, {"change": "leave_bloc", "country": "FRA", "bloc": "EU"}, buyers=["FRA", "EU"])
    assert {each["buyer"] for each in left["results"]} == {"FRA", "EU"}


async def test_a_coalition_of_ones_own_buys_and_signs(client: AsyncClient) -> None:
    mine = {"change": "define_bloc", "id": "MINE", "members": ["USA", "CAN"]}
    new = {"id": "mine-chl", "type": "trade_agreement", "binding": True, "parties": ["MINE", "COD"]}
    told = await play(
        client,
        {"change": "bring_into_force", "agreement": new},
        mine,
        buyers=["MINE", "CAN,USA", "CAN"],
        minerals=["cobalt"],
    )
    one, other, canada = [result(told, "cobalt", buyer) for buyer in ("MINE", "CAN,USA", "CAN")]
    assert {**one, "buyer": ""} == {**other, "buyer": ""}
    assert one["difference"] < 0
    assert canada["difference"] < 0


async def test_a_coalition_of_one_is_its_country(client: AsyncClient) -> None:
    mine = {"change": "define_bloc", "id": "MINE", "members": ["JPN"]}
    told = await play(client, mine, LOSS, buyers=["MINE", "JPN"])
    by_buyer = [
        [{**each, "buyer": ""} for each in told["results"] if each["buyer"] == name] for name in ("MINE", "JPN")
    ]
    assert by_buyer[0] == by_buyer[1] != []


async def test_the_ladder_is_set_before_and_after_or_after_alone(client: AsyncClient) -> None:
    steps = {"memorandum": 1.0, "forum": {"central": 0.99, "low": 0.9, "high": 1.0}}
    both = await play(client, ladder=steps, minerals=["lithium"])
    assert both["ladder"] == {"memorandum": 1.0, "forum": steps["forum"]}
    assert result(both, "lithium")["difference"] == 0
    after = await play(client, {"change": "set_ladder", "steps": steps}, minerals=["lithium"])
    assert after["ladder"] == {}
    assert result(after, "lithium")["difference"] > 0


async def test_by_control_a_loss_in_the_host_is_felt_by_the_owner(client: AsyncClient) -> None:
    lost = {"change": "lose_supplier", "country": "IDN", "minerals": ["nickel"], "stage": "processing"}
    territory, control = [
        result(await play(client, lost, attribution=lens, minerals=["nickel"]), "nickel")["stages"]
        for lens in ("territory", "control")
    ]
    assert territory[0]["after"] == control[0]["after"]
    assert territory[0]["before"] < control[0]["before"]


async def test_the_same_question_gives_the_same_bytes(client: AsyncClient) -> None:
    changes = [LOSS, {"change": "set_governance", "country": "CHN", "weight": 0.9}]
    first, second = [await post(client, *changes, buyers=G7) for _ in range(2)]
    assert first.content == second.content
    assert first.headers["cache-control"] == "no-store"


async def test_nothing_to_change_is_said(client: AsyncClient) -> None:
    told = await play(
        client,
        {"change": "lose_supplier", "country": "AND"},
        {"change": "sign", "agreement": "us-argentina-mou-2026"},
        {"change": "lift_restriction", "country": "AND"},
        {"change": "leave_bloc", "country": "USA", "bloc": "EU"},
    )
    assert [note["change"] for note in told["notes"]] == [0, 1, 2, 3]
    assert told["results"] == told["supply"] == []


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"changes": [{"change": "explode"}]}, "/changes/0/change"),
        ({"changes": [{"change": "terminate"}]}, "/changes/0/agreement"),
        ({"changes": [{"change": "lose_supplier", "country": "CHN", "part": 1}]}, "/changes/0/part"),
        ({"changes": [LOSS, {**LOSS, "fraction": 1.5}]}, "/changes/1/fraction"),
        ({"changes": [{**LOSS, "fraction": "0.5"}]}, "/changes/0/fraction"),
        ({"changes": [{**LOSS, "country": "China"}]}, "/changes/0/country"),
        ({"changes": [LOSS] * 101}, "/changes"),
        ({"buyers": []}, "/buyers"),
        ({"buyers": ["USA"] * 51}, "/buyers"),
        ({"as_of": "yesterday"}, "/as_of"),
        ({"known_at": 0}, "/known_at"),
        ({"colour": "red"}, "/colour"),
        ({"ladder": {"forum": 5}}, "/ladder"),
    ],
)
async def test_a_body_of_another_form_is_refused_where_it_is_wrong(
    client: AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    answer = await client.post("/v1/scenarios", json={"changes": [], "buyers": ["USA"], **DAY} | body)
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"changes": [{"change": "explode"}]}, "'explode' is not one of sign, bring_into_force, "),
        ({"changes": [{"change": 7}]}, "7 is not one of sign, bring_into_force, "),
        ({"changes": [{"kind": "sign"}]}, "is required"),
        ({"changes": [{"change": "terminate"}]}, "is required"),
        ({"changes": [{"change": "terminate", "agreement": "x", "why": 1}]}, "is not one of change, agreement, on"),
        ({"changes": [{**LOSS, "country": "China"}]}, "'China' is not a country's code, such as CHN"),
        ({"changes": [{**LOSS, "fraction": 0}]}, "0 is not a number above 0 and of at most 1"),
        (
            {"changes": [{"change": "sign", "agreement": {"id": "x", "type": "pact"}}]},
            "'pact' is not one of ",
        ),
        (
            {"changes": [{"change": "sign", "agreement": 1}]},
            "1 is not an id in small letters, such as natural-graphite",
        ),
        ({"changes": {}}, "an object is not a list of 0 to 100"),
        ({"buyers": []}, "a list of 0 is not a list of 1 to 50"),
        ({"store": "yes"}, "'yes' is not true or false"),
        ({"attribution": None}, "null is not one of control, territory"),
        ({"ladder": {"forum": 5}}, "has an entry that is wrong: "),
        ({"colour": "red"}, "is not one of changes, buyers, minerals, as_of, known_at, attribution, ladder, store"),
    ],
)
async def test_what_a_field_takes_is_said_in_words(client: AsyncClient, body: dict[str, Any], said: str) -> None:
    answer = await client.post("/v1/scenarios", json={"changes": [], "buyers": ["USA"], **DAY} | body)
    (fault,) = answer.json()["errors"]
    assert fault["detail"].startswith(said)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"changes": [{**LOSS, "country": "XXX"}]}, "/changes/0/country"),
        ({"changes": [{**LOSS, "minerals": ["tin", "unobtainium"]}]}, "/changes/0/minerals/1"),
        ({"changes": [{"change": "terminate", "agreement": "no-such-treaty"}]}, "/changes/0/agreement"),
        ({"changes": [LOSS, LOSS]}, "/changes/1/fraction"),
        ({"changes": [{"change": "add_capacity", "country": "PER", "mineral": "tin"}]}, "/changes/0"),
        ({"changes": [{"change": "add_capacity", "deposit": "no-such-deposit"}]}, "/changes/0/deposit"),
        ({"changes": [{"change": "add_capacity", "deposit": "junin-rare-earths"}]}, "/changes/0/share"),
        ({"changes": [{"change": "add_capacity", "deposit": "junin-rare-earths", "share": 0.1}]}, "/changes/0/mineral"),
        ({"changes": [{"change": "define_bloc", "id": "EU", "members": ["USA"]}]}, "/changes/0/id"),
        ({"changes": [{"change": "define_bloc", "id": "MINE", "members": ["XXX"]}]}, "/changes/0/members/0"),
        ({"changes": [{"change": "join_bloc", "country": "USA", "bloc": "MINE"}]}, "/changes/0/bloc"),
        ({"changes": [{"change": "set_ladder", "steps": {"friendship": 0.5}}]}, "/changes/0/steps"),
        ({"ladder": {"memorandum": 1.5}}, "/ladder"),
        ({"ladder": {"memorandum": {"central": 0.9, "low": 1.0, "high": 0.8}}}, "/ladder"),
        ({"buyers": ["USA", "XXX"]}, "/buyers/1"),
        ({"minerals": ["unobtainium"]}, "/minerals/0"),
        ({"known_at": 99}, "/known_at"),
    ],
)
async def test_what_cannot_be_done_is_refused_where_it_is_asked(
    client: AsyncClient, body: dict[str, Any], pointer: str
) -> None:
    answer = await client.post("/v1/scenarios", json={"changes": [], "buyers": ["USA"], **DAY} | body)
    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", None])
async def test_a_body_that_is_not_said_to_be_json_is_refused(client: AsyncClient, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    answer = await client.post("/v1/scenarios", content=b'{"changes": [], "buyers": ["USA"]}', headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"NaN", b"null", b"[" * 100_000, b'{"a": 1e999}'])
async def test_a_body_that_is_no_such_json_is_refused(client: AsyncClient, body: bytes) -> None:
    answer = await client.post(
        "/v1/scenarios", content=body, headers={"Content-Type": "application/json; charset=utf-8"}
    )
    assert (answer.status_code, answer.json()["type"]) == (400, "/problems/invalid-request")


async def test_a_body_above_a_mebibyte_is_refused(client: AsyncClient) -> None:
    body = b'{"changes": [], "buyers": ["USA"]' + b" " * 1024 * 1024 + b"}"
    answer = await client.post("/v1/scenarios", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"
    # whatever the version of Python calls it
    assert (answer.json()["type"], answer.json()["title"]) == ("/problems/content-too-large", "Content Too Large")


async def test_a_parameter_is_refused_by_name(client: AsyncClient) -> None:
    answer = await client.post("/v1/scenarios", params={"buyer": "USA"}, json={"changes": [], "buyers": ["USA"]})
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (400, "buyer")


def test_the_contract_takes_no_unknown_field_and_tells_every_bound() -> None:
    """Whoever keeps to the schema is not refused for the form of the request."""
    schemas = openapi()["components"]["schemas"]
    asked = ["Scenario", "NewAgreement", "Step", *(kind.__name__ for kind in get_args(Change))]
    assert all(schemas[name]["additionalProperties"] is False for name in asked)
    assert schemas["Scenario"]["properties"]["buyers"]["items"]["pattern"].startswith("^[A-Z]")
    assert schemas["LoseSupplier"]["properties"]["minerals"]["oneOf"][0]["items"]["maxLength"] == 80
    assert schemas["AddCapacity"]["properties"]["share"]["oneOf"][0]["exclusiveMinimum"] == 0


async def test_the_documented_request_is_answered(client: AsyncClient) -> None:
    assert (await client.post("/v1/scenarios", json=EXAMPLE)).status_code == 200


@pytest.fixture
async def kept(postgres: Any, administrator: Connection[Record], seeded: str) -> AsyncIterator[tuple[Service, str]]:
    """An application with keys, over evidence of the test's own, and a key that may write."""
    name = f"scenarios_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {seeded}")
    dsn = postgres.database(name)
    connection = await asyncpg.connect(dsn)
    _, key = await keys.create(connection, SECRET, "planner", "write")
    await connection.close()
    app = create_app(Settings(database_url=dsn, secret=SECRET))
    async with asking(app) as asked:
        yield Service(app, asked, dsn), key
    await administrator.execute(f"drop database {name} with (force)")


async def keep(service: Service, key: str, body: dict[str, Any]) -> Response:
    """The answer to a request to keep a scenario, once the application has read its keys."""
    headers = {"Authorization": f"Bearer {key}"}
    async with asyncio.timeout(5):
        while True:
            answer = await service.client.post("/v1/scenarios", json={**body, "store": True}, headers=headers)
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(0.005)


async def test_nothing_is_kept_without_a_key_that_may_write(client: AsyncClient) -> None:
    answer = await post(client, LOSS, store=True)
    assert (answer.status_code, answer.json()["type"]) == (401, "/problems/unauthorized")


async def test_a_kept_scenario_replays_to_the_byte(kept: tuple[Service, str]) -> None:
    """Also after the ledger has grown; asked at the new revision the same question has another answer."""
    service, key = kept
    ask = {"changes": [{"change": "set_ladder", "steps": {"none": 0.9}}], "buyers": ["USA"], "minerals": ["gallium"]}
    answer = await keep(service, key, ask)
    assert answer.status_code == 201
    path = answer.headers["location"]
    assert path == f"/v1/scenarios/{answer.json()['id']}"
    await service.write([agreement("usa-chn", "USA", "CHN", binding="yes", in_force="2022", source="usgs-mcs-2026")])
    again = await service.client.get(path)
    assert again.content == answer.content
    newer = await service.client.get(path, params={"known_at": "2"})
    assert newer.json()["known_at"] == 2
    assert newer.json()["results"] != answer.json()["results"]
    assert newer.headers["etag"] != again.headers["etag"]
    assert "immutable" in again.headers["cache-control"]


async def test_the_same_question_is_kept_once(kept: tuple[Service, str]) -> None:
    service, key = kept
    answers = [await keep(service, key, EXAMPLE) for _ in range(2)]
    assert {answer.status_code for answer in answers} == {201}
    assert answers[0].content == answers[1].content


async def test_what_is_not_kept_is_not_found(client: AsyncClient) -> None:
    answer = await client.get(f"/v1/scenarios/{'0' * 24}")
    assert (answer.status_code, answer.json()["errors"][0]["parameter"]) == (404, "scenario")
