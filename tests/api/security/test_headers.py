"""What stands in the header of every answer, what a cache may do with it, and paths that mean something else."""

from __future__ import annotations

import re

import pytest
from httpx import AsyncClient, Response
from litestar import get

from tests.api.security.asked import operations
from tests.api.security.conftest import House
from tests.serving import Service

SCORE = "/v1/minerals/cobalt/score?buyer=USA&as_of=2026-02-05&known_at=1"


def check(answer: Response) -> dict[str, str]:
    """The policy of an answer by its directives, all its fields being there once."""
    headers = answer.headers
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("referrer-policy") == ["no-referrer"]
    assert headers.get_list("x-frame-options") == ["DENY"]
    assert headers.get_list("cross-origin-resource-policy") == ["same-origin"]
    assert not [name for name in headers if name.startswith("access-control-")]
    assert "x-powered-by" not in headers
    (policy,) = headers.get_list("content-security-policy")
    found = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    assert (found["default-src"], found["frame-ancestors"]) == ("'none'", "'none'")
    return found


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (SCORE, 200),
        ("/v1/scores?buyer=USA&format=csv", 200),
        ("/v1/scores?buyer=USA&format=ndjson", 200),
        ("/openapi.json", 200),
        ("/metrics", 200),
        ("/health/ready", 200),
        ("/docs/assets/start.js", 200),
        ("/v1/minerals?limit=0", 400),
        ("/nothing", 404),
        ("/docs/assets/nothing", 404),
    ],
)
async def test_every_answer_forbids_what_data_does_not_need(client: AsyncClient, path: str, status: int) -> None:
    """The first time, from memory, and to HEAD."""
    for method in ("GET", "GET", "HEAD"):
        answer = await client.request(method, path, headers={"Origin": "https://elsewhere.example"})
        assert answer.status_code == status
        assert check(answer).keys() == {"default-src", "frame-ancestors"}


async def test_so_does_every_304_and_every_refusal(house: House, service: Service) -> None:
    """304 of a ready answer, 401 of the gate, 403, 405, 406, 413, 415, 422, and 500."""

    @get("/broken", include_in_schema=False)
    async def broken() -> None:
        raise RuntimeError

    service.app.register(broken)
    tag = (await house.open.get(SCORE)).headers["etag"]
    write, asked = house.key("write"), "/v1/scenarios"
    answers = {
        304: await house.open.get(SCORE, headers={"If-None-Match": tag}),
        401: await house.keyed.get(SCORE),
        403: await house.open.post("/v1/imports?format=x", headers=house.key("read")),
        405: await house.open.delete("/v1/minerals"),
        406: await house.open.get("/v1/minerals", headers={"Accept": "image/png"}),
        413: await house.open.post(asked, content=b"x" * 2_000_000, headers={"Content-Type": "application/json"}),
        415: await house.open.post("/v1/imports?format=form:share", content=b"x", headers=write),
        422: await house.open.post(asked, json={"changes": [], "buyers": ["XXX"]}),
        500: await service.client.get("/broken"),
    }
    for status, answer in answers.items():
        assert answer.status_code == status
        check(answer)
    assert all("no-store" in answer.headers["cache-control"] for status, answer in answers.items() if status != 304)


@pytest.mark.parametrize("path", ["/", "/docs"])
async def test_the_page_runs_its_own_files_only(client: AsyncClient, path: str) -> None:
    """No script from elsewhere, none within the page, no form sent anywhere, no other base."""
    policy = check(await client.get(path))
    assert policy["script-src"] == policy["connect-src"] == "'self'"
    assert policy["base-uri"] == policy["form-action"] == "'none'"
    assert "unsafe-eval" not in str(policy)
    assert not re.search(r"https?:|\*", str(policy))


async def test_nobody_else_is_handed_what_a_key_has_read(house: House) -> None:
    """No shared cache may keep an answer to a key, be it an answer, a 304 or an error (RFC 9111 §3.5)."""
    for operation in operations():
        if operation.method != "GET" or not operation.path.startswith("/v1/"):
            continue
        answer = await house.keyed.get(operation.path, params=operation.query, headers=house.key("read"))
        assert answer.status_code in (200, 404), operation.id
        private(answer)
        if tag := answer.headers.get("etag"):
            headers = house.key("read") | {"If-None-Match": tag}
            again = await house.keyed.get(operation.path, params=operation.query, headers=headers)
            assert again.status_code == 304
            private(again)
        refused = await house.keyed.get(operation.path, params=operation.query)
        assert (refused.status_code, refused.headers["cache-control"]) == (401, "no-store")


def private(answer: Response) -> None:
    """Checks that only the one who asked may keep the answer."""
    kept = answer.headers["cache-control"]
    assert "public" not in kept
    assert "s-maxage" not in kept
    assert "private" in kept or "no-store" in kept
    assert "no-store" in kept or "Authorization" in answer.headers["vary"]


@pytest.mark.parametrize("origin", ["https://elsewhere.example", "null", "http://localhost:3000"])
async def test_no_page_from_elsewhere_may_read_or_write(client: AsyncClient, origin: str) -> None:
    """No CORS at all: neither a preflight nor an answer invites another origin."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    for answer in (
        await client.options("/v1/scenarios", headers=asked),
        await client.options(SCORE, headers=asked),
        await client.get(SCORE, headers=asked),
    ):
        check(answer)


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "evil.example:1", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"},
        {"X-Forwarded-Proto": "javascript", "X-Forwarded-Prefix": "//evil.example"},
        {"X-HTTP-Method-Override": "DELETE", "X-HTTP-Method": "POST", "X-Method-Override": "PUT"},
        {"X-Original-URL": "/metrics", "X-Rewrite-URL": "/metrics"},
    ],
)
async def test_no_header_decides_what_is_answered(client: AsyncClient, headers: dict[str, str]) -> None:
    """The answer is that of the path and method, the same bytes, and names no host; the next one to ask is unharmed."""
    for path in (SCORE, "/docs", "/openapi.json"):
        plain = await client.get(path)
        answer = await client.get(path, headers=headers)
        assert (answer.status_code, answer.content) == (200, plain.content)
        assert "evil" not in answer.text + str(answer.headers)
    stored = await client.post("/v1/scenarios", json={"changes": [], "buyers": ["USA"]}, headers=headers)
    assert "evil" not in str(stored.headers)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/minerals/..%2f..%2f..%2fetc%2fpasswd",
        "/v1/minerals/%2e%2e/%2e%2e/etc/passwd",
        "/v1/minerals/%252e%252e%252f",
        "/v1/minerals/cobalt%00.json",
        "/v1/minerals/cobalt%0d%0aSet-Cookie:%20a=b",
        "/v1/minerals/cobalt;jsessionid=1",
        "/v1/minerals/cobalt/.git/config",
        "/docs/assets/..%2f..%2fapp.py",
        "/docs/assets/%2e%2e%2f%2e%2e%2fsettings.py",
        "/docs/assets/....//....//settings.py",
        "/.env",
        "/v1/" + "a" * 50_000,
        "/" + "a/" * 20_000,
    ],
)
async def test_a_path_that_tries_to_lead_elsewhere_is_404(client: AsyncClient, path: str) -> None:
    """No file is read by a name from a path, and nothing of it gets into the header."""
    answer = await client.get(path)
    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers
    assert len(answer.content) < 2_000


async def test_the_server_tells_no_version(address: str) -> None:
    """Whoever looks for a weakness of one version does not learn which one this is."""
    async with AsyncClient(base_url=address, trust_env=False) as client:
        answer = await client.get("/health/live")
    assert not re.search(r"\d", answer.headers.get("server", ""))
