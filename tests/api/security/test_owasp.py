"""The OWASP API Security Top 10 of 2023, one test for each risk that applies, and the reason where one does not."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from litestar.routes import HTTPRoute

from service.app import create_app, openapi
from service.intake.formats import FORMATS
from service.settings import Settings
from tests.api.security.asked import bodies, openapi_schemas, operations, strings_in
from tests.api.security.conftest import House

RISKS = {
    1: "Broken Object Level Authorization",
    2: "Broken Authentication",
    3: "Broken Object Property Level Authorization",
    4: "Unrestricted Resource Consumption",
    5: "Broken Function Level Authorization",
    6: "Unrestricted Access to Sensitive Business Flows",
    7: "Server Side Request Forgery",
    8: "Security Misconfiguration",
    9: "Improper Inventory Management",
    10: "Unsafe Consumption of APIs",
}

NOT_APPLICABLE = {
    6: "no flow here harms anybody by being used often: reads give public facts, one at a time or as pages, and nothing"
    " is sold, reserved, posted or sent; writing needs a key and leaves a revision that names it",
}

OPEN = {"/health/live", "/health/ready", "/metrics"}
"""Documented paths that never need a key."""

WITHOUT_CONTRACT = {"/", "/docs", "/docs/assets/{name}", "/openapi.json"}
"""Paths beside the contract: its own document and the page that shows it."""


def test_every_risk_of_the_ten_has_its_test_or_its_reason() -> None:
    tested = {int(found[1]) for name in globals() if (found := re.match(r"test_api(\d+)_", name))}
    assert tested | NOT_APPLICABLE.keys() == RISKS.keys()
    assert not tested & NOT_APPLICABLE.keys()


async def test_api1_what_is_kept_under_an_id_belongs_to_nobody_and_tells_of_nobody(house: House) -> None:
    """A kept scenario is a question about public facts: whoever has its id gets the same bytes, and not who kept it.

    Nothing can be changed or deleted through an id; the id of a scenario is a hash of it, so none can be guessed.
    """
    asked = {"changes": [], "buyers": ["PER"], "as_of": "2026-02-05", "known_at": 1, "store": True}
    kept = await house.keyed.post("/v1/scenarios", json=asked, headers=house.key("write"))
    assert kept.status_code == 201
    path = kept.headers["location"]
    again = await house.keyed.post("/v1/scenarios", json=asked, headers=house.key("admin"))
    assert again.headers["location"] == path
    read = [await house.keyed.get(path, headers=house.key(scope)) for scope in ("read", "write", "admin")]
    assert {answer.content for answer in read} == {kept.content}
    assert "who may" not in kept.text
    assert (await house.keyed.get(path)).status_code == 401
    for method in ("PUT", "PATCH", "DELETE"):
        assert (await house.keyed.request(method, path, headers=house.key("admin"))).status_code == 405


def disguised(path: str) -> list[str]:
    """A path in forms that a router may take for the same."""
    first, rest = path[1:].split("/", 1)
    return [
        path,
        f"/{path}",
        f"///{first}//{rest}",
        f"{path}/",
        f"/%2F{first}/{rest}",
        f"/%76{first[1:]}/{rest}",
        f"/docs/../{first}/{rest}",
        f"/docs/assets/%2e%2e/%2e%2e/{first}/{rest}",
        f"/health/live/..%2f..%2f{first}/{rest}",
        f"/./{first}/{rest}",
        f"/{first};x=1/{rest}",
        f"/{first.upper()}/{rest}",
    ]


async def test_api2_no_operation_answers_without_a_key_that_works(house: House) -> None:
    """Every operation, whichever way its path is written and whatever is presented as a key."""
    good = house.issued["read"]
    presented = [
        {},
        {"Authorization": "Bearer"},
        {"Authorization": f"Basic {good}"},
        {"Authorization": f"Bearer {good[:-1]}"},
        {"Authorization": f"Bearer {good[:-1]}{'0' if good[-1] != '0' else '1'}"},
        {"Authorization": f"Bearer {good.swapcase()}"},
        {"X-API-Key": good},
        {"Cookie": f"key={good}"},
        {"X-Original-URL": "/health/live", "X-Rewrite-URL": "/health/live"},
        {"X-Forwarded-For": "127.0.0.1", "X-Forwarded-User": "admin"},
    ]
    for operation in operations():
        if operation.path in OPEN:
            continue
        for headers in presented:
            answer = await house.keyed.request(
                operation.method, operation.path, params=operation.query, headers=headers
            )
            assert answer.status_code == 401, (operation.id, headers)
            assert answer.headers["www-authenticate"].startswith("Bearer")
        for path in disguised(operation.path):
            answer = await house.keyed.request(operation.method, path, params=operation.query)
            assert answer.status_code in (401, 404), (operation.id, path)
        in_query = await house.keyed.request(
            operation.method, operation.path, params=operation.query | {"api_key": good, "access_token": good}
        )
        assert in_query.status_code == 401


async def test_api3_no_field_is_taken_or_told_that_the_contract_does_not_name(house: House) -> None:
    """Bodies refuse what they do not know, by name, at every depth; answers of writes hold what their schema has."""
    for operation, schema in bodies().items():
        for place, each in strings_in(schema):
            if "properties" in each:
                assert each.get("additionalProperties") is False, (operation, place)
    path = "/v1/revisions/1/retraction"
    for field in ("author", "id", "revision", "committed_at", "scope"):
        answer = await house.keyed.post(path, json={"reason": "no", field: "1"}, headers=house.key("write"))
        assert answer.status_code == 400
        assert [fault["pointer"] for fault in answer.json()["errors"]] == [f"/{field}"]
    told = openapi_schemas()["RevisionInfo"]["properties"].keys()
    for revision in (await house.keyed.get("/v1/revisions", headers=house.key("read"))).json()["items"]:
        assert revision.keys() <= told


def bounded(schema: dict[str, Any]) -> bool:
    """Whether what a schema describes has an upper bound of its size, or as a number of its value."""
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    endless = re.compile(r"(?<!\\)[*+]|\{\d+,\}")
    pattern = re.sub(r"\[[^\]]*\]", "x", schema.get("pattern", "*"))
    fixed = "enum" in schema or "const" in schema or schema.get("format") in ("date", "binary")
    checks = {
        "string": fixed or "maxLength" in schema or not endless.search(pattern),
        "integer": fixed or "maximum" in schema,
        "number": "maximum" in schema or "exclusiveMaximum" in schema,
        "array": "maxItems" in schema,
        "object": schema.get("additionalProperties") is False or "maxProperties" in schema or "properties" in schema,
    }
    return all(checks.get(kind, True) for kind in kinds)


async def test_api4_whatever_is_asked_has_a_bound(house: House) -> None:
    """Every value of every request; what a request may cost within these bounds is counted in test_costs.py."""
    for operation in operations():
        for parameter in operation.parameters:
            for place, schema in strings_in(parameter["schema"]):
                assert bounded(schema), (operation.id, parameter["name"], place)
    for operation_id, body in bodies().items():
        for place, schema in strings_in(body):
            assert bounded(schema), (operation_id, place)
    too_long = b'{"reason": "' + b"x" * 1024 * 1024 + b'"}'
    headers = house.key("write") | {"Content-Type": "application/json"}
    answer = await house.keyed.post("/v1/revisions/1/retraction", content=too_long, headers=headers)
    assert answer.status_code == 413


async def test_api5_a_key_reaches_as_far_as_its_scope_and_no_further(house: House) -> None:
    """What writes needs the scope `write`, and only that; what runs the service is not to be had over HTTP at all."""
    writing = {operation.id for operation in operations() if operation.method != "GET"}
    assert writing == {"import_file", "retract_revision", "play_scenario"}
    before = await house.content()
    for operation in operations():
        if operation.method == "GET" or operation.id == "play_scenario":
            continue
        assert operation.security == [{"key": []}]
        for client in (house.keyed, house.open):
            anonymous = await client.request(operation.method, operation.path, params=operation.query)
            reader = await client.request(
                operation.method, operation.path, params=operation.query, headers=house.key("read")
            )
            assert (anonymous.status_code, reader.status_code) == (401, 403)
    stored = {"changes": [], "buyers": ["USA"], "store": True}
    for headers, status in (({}, 401), (house.key("read"), 403)):
        assert (await house.open.post("/v1/scenarios", json=stored, headers=headers)).status_code == status
    for path in ("/v1/keys", "/v1/admin", "/admin", "/v1/migrate", "/v1/settings", "/debug"):
        for method in ("GET", "POST"):
            answer = await house.keyed.request(method, path, headers=house.key("admin"))
            assert answer.status_code == 404
    assert await house.content() == before


@pytest.fixture
async def trap() -> AsyncIterator[tuple[str, list[str]]]:
    """An address that nobody should ever connect to, and who did."""
    visitors: list[str] = []

    async def visited(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitors.append(str(writer.get_extra_info("peername")))
        writer.close()

    server = await asyncio.start_server(visited, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        yield f"http://127.0.0.1:{port}/", visitors


async def test_api7_no_address_given_to_the_service_is_ever_connected_to(
    house: House, trap: tuple[str, list[str]]
) -> None:
    """It takes addresses as text only: in parameters, in headers, in bodies and in the cells of files."""
    address, visitors = trap
    for operation in operations():
        for parameter in operation.parameters:
            query = operation.query | ({parameter["name"]: address} if parameter["in"] == "query" else {})
            await house.keyed.request(
                operation.method, operation.path, params=query, headers=house.key("write") | {"Referer": address}
            )
    row = f"ssrf,Title,A publisher,{address},2026-01-01,free,statistics,100"
    table = f"id,title,publisher,url,retrieved,licence,evidence_level,precedence\n{row}\n"
    told = await house.keyed.post(
        "/v1/imports?format=form:source&dry_run=true",
        content=table,
        headers=house.key("write") | {"Content-Type": "text/csv"},
    )
    assert (told.status_code, told.json()["rows"][0]["added"]) == (200, 1)
    assert visitors == []
    kinds = {
        schema.get("format") for op in operations() for p in op.parameters for _, schema in strings_in(p["schema"])
    }
    assert not kinds & {"uri", "url", "iri", "hostname"}


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "FOO"])
async def test_api8_methods_that_are_nobodys_are_refused(house: House, method: str) -> None:
    """As a problem, and without telling the request back as TRACE would; the headers are tested in test_headers.py."""
    answer = await house.open.request(method, "/v1/minerals", headers={"X-Mark": "told-back"})
    assert answer.status_code == 405
    assert answer.headers["content-type"] == "application/problem+json"
    assert "told-back" not in answer.text


def test_api9_every_path_there_is_stands_in_the_contract() -> None:
    """Nothing old, hidden or half-made can be asked: one version, and no route beside the contract but its own page."""
    app = create_app(Settings(database_url="postgresql://nobody@localhost/none"))
    routes = {route.path_format.rstrip("/") or "/" for route in app.routes if isinstance(route, HTTPRoute)}
    contract = {path.rstrip("/") or "/" for path in openapi()["paths"]}
    assert routes - contract == WITHOUT_CONTRACT
    assert contract - routes == set()
    assert all(path.startswith("/v1/") or path in OPEN for path in contract)


HOSTILE = {
    "nothing": b"",
    "binary": bytes(range(256)) * 16,
    "an error page": b"<html><body>503 Service Unavailable</body></html>\n" * 20,
    "JSON": json.dumps({"error": "moved"}).encode(),
    "another table": b"a,b,c\n1,2,3\n",
    "a quote without end": b'a,b\n"' + b"x,\n" * 500,
    "a workbook": b"PK\x03\x04" + bytes(200),
    "an endless line": b"x" * 200_000,
    "a spoiled archive": b"\x1f\x8b\x08" + bytes(50),
}


async def test_api10_a_published_file_is_believed_nothing(house: House) -> None:
    """No other service is called. What is read from others are their files, and each format refuses what is none."""
    before = await house.content()
    published = [format_id for format_id, each in FORMATS.items() if each.publication]
    for format_id in (*published, "form:share", "form:source"):
        for name, body in HOSTILE.items():
            answer = await house.keyed.post(
                "/v1/imports",
                params={"format": format_id, **({} if format_id.startswith("form:") else {"source": "usgs-mcs-2026"})},
                content=body,
                headers=house.key("write") | {"Content-Type": "text/csv"},
            )
            assert answer.status_code in (400, 422), (format_id, name, answer.text)
            assert len(answer.content) < 10_000
    assert await house.content() == before
