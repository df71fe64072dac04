"""Conditional requests and caching (RFC 9110 §13, RFC 9111): what a proxy or a client may keep, and for how long."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from httpx import AsyncClient
from litestar import Litestar

from tests.evidence import source
from tests.serving import Service

PINNED = {"as_of": "2026-02-05", "known_at": "1"}
FOR_EVER = "public, max-age=31536000, immutable"
ASK_AGAIN = "public, no-cache"


@pytest.fixture(scope="module")
def a_list() -> str:
    return "/v1/scores?buyer=USA&limit=3"


async def test_a_read_has_a_strong_etag_that_stays(client: AsyncClient, cached_read: Any) -> None:
    """The same question about the same ledger has the same bytes and the same validator."""
    first = await client.get(cached_read.path, params=cached_read.needed)
    again = await client.get(cached_read.path, params=cached_read.needed)
    assert re.fullmatch(r'"[0-9a-f]{24}"', first.headers["etag"])
    assert (first.headers["etag"], first.content) == (again.headers["etag"], again.content)


@pytest.mark.parametrize(
    "condition",
    [
        pytest.param(lambda tag: [tag], id="the tag itself"),
        pytest.param(lambda tag: [f"W/{tag}"], id="weakened on the way"),
        pytest.param(lambda tag: [f'"other", {tag}'], id="one of a list"),
        pytest.param(lambda tag: [f'"other",W/{tag},"another"'], id="one of a list without spaces"),
        pytest.param(lambda tag: ['"other"', tag], id="one of several lines"),
        pytest.param(lambda tag: ["*"], id="any"),
    ],
)
async def test_whoever_has_the_current_answer_gets_304_and_no_body(
    client: AsyncClient, cached_read: Any, condition: Any
) -> None:
    """The weak comparison of RFC 9110 §13.1.2; the headers a cache needs come along."""
    full = await client.get(cached_read.path, params=cached_read.needed)
    headers = [("if-none-match", value) for value in condition(full.headers["etag"])]
    answer = await client.get(cached_read.path, params=cached_read.needed, headers=headers)
    assert (answer.status_code, answer.content) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert answer.headers.get(name) == full.headers.get(name)


@pytest.mark.parametrize("condition", ['"other"', 'W/"other"', '""', "other", "", ","])
async def test_whoever_has_another_answer_gets_the_current_one(client: AsyncClient, condition: str) -> None:
    answer = await client.get("/v1/minerals/cobalt", headers={"if-none-match": condition})
    assert (answer.status_code, answer.json()["id"]) == (200, "cobalt")


async def test_a_304_goes_to_head_as_well(client: AsyncClient, a_list: str) -> None:
    tag = (await client.get(a_list)).headers["etag"]
    assert (await client.head(a_list, headers={"if-none-match": tag})).status_code == 304


async def test_an_error_is_never_304(client: AsyncClient) -> None:
    """`*` matches what is there; nothing is."""
    assert (await client.get("/v1/minerals/nothing", headers={"if-none-match": "*"})).status_code == 404


async def test_head_has_the_headers_of_get_and_no_body(app: Litestar, client: AsyncClient, read: Any) -> None:
    """Asked without a server in between, since servers and clients drop the body of an answer to HEAD."""
    got = await client.get(read.path, params=read.needed)
    status, headers, body = await ask(app, "HEAD", got.request.url.raw_path)
    assert (status, body) == (200, b"")
    if "etag" in got.headers:  # of a GET the server itself tells how long the body is
        assert headers == {**got.headers, "content-length": str(len(got.content))}
    else:  # counters move on between two requests
        assert set(headers) == set(got.headers)
        assert headers["content-type"] == got.headers["content-type"]


def test_a_server_tells_head_and_get_the_same(address: str) -> None:
    """Each field of a fresh answer and of one that is ready, how long the body is among them."""
    path = "/v1/minerals/cobalt/score?buyer=USA&as_of=2026-02-05"
    fresh, ready, head = (httpx.request(method, address + path) for method in ("GET", "GET", "HEAD"))
    told = [{name: value for name, value in got.headers.items() if name != "date"} for got in (fresh, ready, head)]
    assert told[0] == told[1] == told[2]
    assert int(head.headers["content-length"]) == len(fresh.content) == len(ready.content)


async def test_head_of_what_is_not_there_has_no_body_either(app: Litestar, client: AsyncClient) -> None:
    status, headers, body = await ask(app, "HEAD", b"/v1/minerals/nothing")
    assert (status, headers["content-type"], body) == (404, "application/problem+json", b"")


async def ask(app: Litestar, method: str, target: bytes) -> tuple[int, dict[str, str], bytes]:
    """What the application itself sends: status, headers and body."""
    path, _, query = target.partition(b"?")
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path.decode(),
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", b"*/*")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
        "state": {},
    }
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    start, *rest = sent
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], headers, b"".join(message["body"] for message in rest)


@pytest.mark.parametrize(
    ("parameters", "lasting"),
    [
        ({}, ASK_AGAIN),
        ({"as_of": "2026-02-05"}, ASK_AGAIN),
        ({"known_at": "1"}, ASK_AGAIN),
        (PINNED, FOR_EVER),
    ],
)
async def test_only_an_answer_that_fixes_day_and_revision_lasts(
    client: AsyncClient, parameters: dict[str, str], lasting: str
) -> None:
    """Every other is asked for again, which costs a 304."""
    for path in ("/v1/minerals/cobalt/score?buyer=USA", "/v1/scores?buyer=USA", "/v1/agreements", "/v1/countries/PER"):
        answer = await client.get(path, params=dict(p.split("=") for p in path.partition("?")[2:] if p) | parameters)
        assert answer.headers["cache-control"] == lasting


async def test_a_moment_fixes_the_revision_once_a_newer_one_is_known(service: Service) -> None:
    """What was known at a moment after the newest commit may still grow, and must not be kept for ever."""
    mineral = await service.get("/v1/minerals/cobalt")
    before = datetime.now(UTC)
    moment = {"as_of": "2026-02-05", "known_at": before.isoformat()}
    soon = {"as_of": "2026-02-05", "known_at": (before + timedelta(days=1)).isoformat()}

    async def lasting(parameters: dict[str, str]) -> tuple[int, str]:
        answer = await service.client.get("/v1/minerals/cobalt", params=parameters)
        return answer.json()["known_at"], answer.headers["cache-control"]

    assert await lasting(moment) == (mineral["known_at"], ASK_AGAIN)
    assert await lasting(soon) == (mineral["known_at"], ASK_AGAIN)
    newer = await service.write([source("later")])
    assert await lasting(moment) == (mineral["known_at"], FOR_EVER)
    assert await lasting(soon) == (newer.id, ASK_AGAIN)


async def test_what_only_the_program_decides_is_kept_a_while(client: AsyncClient) -> None:
    answer = await client.get("/v1/methods")
    assert answer.headers["cache-control"] == "public, max-age=300"


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/v1/minerals/nothing", "/nothing"])
async def test_health_metrics_and_errors_are_not_kept(client: AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


async def test_a_list_varies_with_the_format_asked_for(client: AsyncClient, list_read: Any) -> None:
    """A proxy must not give CSV to whoever asks for JSON, and no two formats share a validator."""
    tags = set()
    for media in ("application/json", "text/csv", "application/x-ndjson"):
        answer = await client.get(list_read.path, params=list_read.needed, headers={"accept": media})
        assert answer.headers["vary"] == "Accept"
        assert answer.headers["content-type"].split(";")[0] == media
        tags.add(answer.headers["etag"])
    assert len(tags) == 3


async def test_whatever_shapes_an_answer_shapes_its_etag(client: AsyncClient) -> None:
    base = {"buyer": "USA", **PINNED}
    variants: list[dict[str, str]] = [
        {},
        {"buyer": "CHN"},
        {"as_of": "2026-02-06"},
        {"list": "us-2025"},
        {"band": "severe"},
        {"sort": "mineral"},
        {"limit": "7"},
        {"format": "csv"},
    ]
    answers = [await client.get("/v1/scores", params=base | variant) for variant in variants]
    assert len({answer.headers["etag"] for answer in answers}) == len(variants)


async def test_today_is_the_day_it_stands_for(client: AsyncClient) -> None:
    """`as_of` is resolved at the edge: saying the day and leaving it out are the same question."""
    silent = await client.get("/v1/minerals/cobalt")
    said = await client.get("/v1/minerals/cobalt", params={"as_of": silent.json()["as_of"]})
    assert (said.content, said.headers["etag"]) == (silent.content, silent.headers["etag"])


async def test_a_new_revision_is_a_new_etag(service: Service) -> None:
    """Nobody is told 304 about an answer that names an older revision."""
    tag = (await service.client.get("/v1/minerals/cobalt")).headers["etag"]
    await service.write([source("later")])
    answer = await service.client.get("/v1/minerals/cobalt", headers={"if-none-match": tag})
    assert (answer.status_code, answer.json()["known_at"]) == (200, 2)


async def test_every_answer_forbids_sniffing_and_framing(client: AsyncClient) -> None:
    for path in ("/v1/minerals", "/nothing", "/docs", "/metrics"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
