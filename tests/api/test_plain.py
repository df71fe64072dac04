"""Plain questions, which are answered without the framework: nobody can tell, but by how long it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from litestar import Litestar

from service.app import Chokepoint, create_app
from service.http.plain import TEMPLATE, Plain
from service.settings import Secret, Settings
from tests.serving import asking

SCORE = "/v1/minerals/cobalt/score"
PLAIN = [
    f"{SCORE}?buyer=USA",
    f"{SCORE}?buyer=EU&as_of=2026-02-05",
    f"{SCORE}?as_of=2024-02-29&buyer=COD",
    "/v1/minerals/cesium/score?buyer=JPN&as_of=1999-01-01",
    f"{SCORE}?buyer=USA&as_of=2026-02-05&ladder=memorandum:0.5,forum:1.0,quota:1.1,memorandum:0.9",
]
OTHERS = [
    SCORE,
    f"{SCORE}?",
    f"{SCORE}?buyer=",
    f"{SCORE}?buyer=usa",
    f"{SCORE}?buyer=null",
    f"{SCORE}?buyer=CAN,USA",
    f"{SCORE}?buyer=USA&buyer=USA",
    f"{SCORE}?buyer=USA&",
    f"{SCORE}?buyer=US%41",
    f"{SCORE}?buyer=USA&as_of=2026-2-5",
    f"{SCORE}?buyer=USA&as_of=2026-02-30",
    f"{SCORE}?buyer=USA&as_of=0000-01-01",
    f"{SCORE}?buyer=USA&as_of=2026-02-05T00:00:00",
    f"{SCORE}?buyer=USA&ladder=memorandum:1.5",
    f"{SCORE}?buyer=USA&ladder=memorandum:0.5,",
    f"{SCORE}?buyer=USA&ladder=" + ",".join(["binding_signed:0.123456"] * 13),
    f"{SCORE}?buyer=USA&known_at=1",
    f"{SCORE}?buyer=USA&mix=sourcing",
    f"{SCORE}?buyer=USA&colour=red",
    f"{SCORE}/?buyer=USA",
    "/v1/minerals/unobtainium/score?buyer=USA",
    "/v1/minerals/cobalt/score/score?buyer=USA",
    "/v1/minerals//score?buyer=USA",
    "/v1/minerals/score?buyer=USA",
]


class Counted:
    """An application that counts what it is asked and passes it on."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.asked = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        await self.app(scope, receive, send)


async def answered(app: Any, url: str, *fields: tuple[bytes, bytes]) -> tuple[list[Any], str]:
    """What an application sends, and which route it says that is of."""
    path, query = urlsplit(url).path, url.partition("?")[2]
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"accept", b"application/json"), *fields],
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "server": ("localhost", 80),
        "state": {},
    }
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app(scope, receive, send)
    start = {**sent[0], "headers": sorted((bytes(name).lower(), bytes(value)) for name, value in sent[0]["headers"])}
    return [start, b"".join(message.get("body", b"") for message in sent[1:])], str(scope.get("path_template"))


@pytest.fixture(scope="module", params=["open", "keyed"])
async def app(request: pytest.FixtureRequest, seeded_dsn: str) -> AsyncIterator[Chokepoint]:
    """The application with open and with keyed reads."""
    secret = Secret(b"a secret of these tests, long enough")
    app = create_app(Settings(database_url=seeded_dsn, reads=request.param, secret=secret))
    async with asking(app):
        assert isinstance(app, Chokepoint)
        yield app


@pytest.fixture
def framework(app: Chokepoint) -> tuple[Plain, Counted]:
    """The application's way past the framework, and the framework behind it."""
    plain = app.framework
    assert isinstance(plain, Plain)
    counted = Counted(lambda *asked: Litestar.__call__(app, *asked))
    return Plain(plain._worlds, counted, plain._before_send), counted


@pytest.mark.parametrize("url", PLAIN)
async def test_a_plain_question_has_the_frameworks_answer_without_it(
    framework: tuple[Plain, Counted], url: str
) -> None:
    """Status, header fields and body, and it is counted under the same route."""
    plain, counted = framework
    found = await answered(plain, url)
    assert counted.asked == 0
    assert found == await answered(counted, url)
    assert found[0][0]["status"] == 200
    assert found[1] == TEMPLATE


@pytest.mark.parametrize("url", OTHERS)
async def test_any_other_question_is_the_frameworks(framework: tuple[Plain, Counted], url: str) -> None:
    """Answered or refused."""
    plain, counted = framework
    found = await answered(plain, url)
    assert counted.asked == 1
    assert found[0] == (await answered(counted, url))[0]


async def test_a_demanded_revision_is_for_the_framework_to_wait_for(framework: tuple[Plain, Counted]) -> None:
    plain, counted = framework
    (start, _), _ = await answered(plain, PLAIN[0], (b"chokepoint-min-revision", b"999"))
    assert counted.asked == 1
    assert start["status"] in (404, 503)
