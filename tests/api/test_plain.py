"""Plain questions, which are answered without the framework: nobody can tell, but by how long it takes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from service.answers.score import Account
from service.app import Chokepoint, create_app
from service.http.plain import TEMPLATE
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


def scope_of(url: str) -> dict[str, Any]:
    """What a server makes of a GET."""
    path, query = urlsplit(url).path, url.partition("?")[2]
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"accept", b"application/json")],
        "client": ("127.0.0.1", 1),
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "server": ("localhost", 80),
        "state": {},
    }


async def framework(app: Chokepoint, scope: dict[str, Any]) -> list[Any]:
    """What the framework sends."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    await app.framework(scope, receive, send)  # type: ignore[arg-type]
    return sent


def told(messages: Any) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, header fields in some order, and body."""
    start, *bodies = messages
    fields = sorted((bytes(name).lower(), bytes(value)) for name, value in start["headers"])
    return start["status"], fields, b"".join(message.get("body", b"") for message in bodies)


@pytest.fixture(scope="module", params=["open", "keyed"])
async def app(request: pytest.FixtureRequest, seeded_dsn: str) -> AsyncIterator[Chokepoint]:
    """The application with open and with keyed reads."""
    secret = Secret(b"a secret of these tests, long enough")
    app = create_app(Settings(database_url=seeded_dsn, reads=request.param, secret=secret))
    async with asking(app):
        assert isinstance(app, Chokepoint)
        yield app


@pytest.mark.parametrize("url", PLAIN)
async def test_a_plain_question_has_the_frameworks_answer(app: Chokepoint, url: str) -> None:
    """Status, header fields and body; and it is counted under the same route."""
    scope = scope_of(url)
    found = app.ready._plain(scope)  # type: ignore[arg-type]
    assert found is not None
    assert told(found) == told(await framework(app, scope))
    assert told(found)[0] == 200
    assert scope["path_template"] == TEMPLATE


@pytest.mark.parametrize("url", OTHERS)
async def test_any_other_question_is_the_frameworks(app: Chokepoint, url: str) -> None:
    """Be it one that it answers or one that it refuses."""
    assert app.ready._plain(scope_of(url)) is None  # type: ignore[arg-type]


async def test_what_goes_wrong_is_the_frameworks_to_tell(app: Chokepoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes to the same, and answers as it does to whatever goes wrong."""

    def fails(*_: Any, **__: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(Account, "sent", fails)
    scope = scope_of(PLAIN[0])
    assert app.ready._plain(scope) is None  # type: ignore[arg-type]
    status, _, body = told(await framework(app, scope))
    assert (status, b"/problems/out-of-memory" in body) == (503, True)
