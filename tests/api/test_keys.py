"""API keys: who may read and write, how often, and that no key is ever told again."""

from __future__ import annotations

import asyncio
import functools
import logging
import os
import re
import stat
import sys
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from asyncpg import Connection, Record
from click.testing import CliRunner
from httpx import AsyncClient, Response
from litestar import get, post
from litestar.connection import Request

from service.app import create_app
from service.cli import main
from service.http.keys import caller_of, requires
from service.secret import SecretError, secret_of
from service.settings import RateLimit, Secret, Settings, SettingsError
from service.store import keys
from service.store.ledger import revise
from tests.serving import asking

SECRET = Secret(b"a secret that only these tests know of")
GENEROUS = RateLimit(100_000, 1)
SCORE = "/v1/minerals/cobalt/score?buyer=USA&as_of=2026-02-05&known_at=1"

Make = Callable[..., Awaitable[str]]


@post("/v1/notes", guards=[requires("write")], status_code=201)
async def write_note(request: Request[Any, Any, Any]) -> dict[str, str]:
    """A stand-in for any route that writes."""
    caller = caller_of(request)
    assert caller is not None
    return {"author": caller.author}


@get("/v1/secrets", guards=[requires("admin")])
async def administer() -> dict[str, str]:
    """A stand-in for any route only administrators may ask."""
    return {}


@asynccontextmanager
async def copied(postgres: Any, administrator: Connection[Record], seeded: str) -> AsyncIterator[str]:
    """The URL of a copy of the database with the shipped evidence."""
    name = f"keyed_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {seeded}")
    yield postgres.database(name)
    await administrator.execute(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
async def database(postgres: Any, administrator: Connection[Record], seeded: str) -> AsyncIterator[str]:
    """The URL of a database with the shipped evidence for all tests here, which only add keys."""
    async with copied(postgres, administrator, seeded) as url:
        yield url


@pytest.fixture
async def own_database(postgres: Any, administrator: Connection[Record], seeded: str) -> AsyncIterator[str]:
    """The URL of a database with the shipped evidence for one test, which may spoil it."""
    async with copied(postgres, administrator, seeded) as url:
        yield url


async def create(database: str, name: str = "someone", scope: keys.Scope = "read", **more: Any) -> str:
    """Makes a key in a database and gives it."""
    connection = await asyncpg.connect(database)
    _, key = await keys.create(connection, SECRET, name, scope, **more)
    await connection.close()
    return key


@pytest.fixture
def make(database: str) -> Make:
    """Makes a key and gives it: `await make("reader", "read")`."""
    return functools.partial(create, database)


@asynccontextmanager
async def keyed(database: str, **settings: Any) -> AsyncIterator[AsyncClient]:
    """The application with keyed reads, a route that writes and a generous limit, unless told otherwise."""
    chosen = {"reads": "keyed", "secret": SECRET, "rate_limit": GENEROUS, **settings}
    app = create_app(Settings(database_url=database, **chosen))
    app.register(write_note)
    app.register(administer)
    async with asking(app) as client:
        yield client


@pytest.fixture(scope="module")
async def client(database: str) -> AsyncIterator[AsyncClient]:
    """A client of the application with keyed reads."""
    async with keyed(database) as asked:
        yield asked


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def until(client: AsyncClient, status: int, key: str, path: str = SCORE) -> Response:
    """The answer to a key once it has that status."""
    async with asyncio.timeout(5):
        while (answer := await client.get(path, headers=bearer(key))).status_code != status:
            await asyncio.sleep(0.005)
    return answer


def problem(answer: Response, status: int, kind: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    found: dict[str, Any] = answer.json()
    assert found["type"] == f"/problems/{kind}"
    return found


async def test_open_reads_do_not_look_at_keys(database: str) -> None:
    async with keyed(database, reads="open") as client:
        anonymous = await client.get(SCORE)
        assert anonymous.status_code == 200
        nonsense = await client.get(SCORE, headers=bearer("nonsense"))
        assert (nonsense.content, nonsense.headers) == (anonymous.content, anonymous.headers)
        assert "public" in anonymous.headers["cache-control"]
        assert "authorization" not in anonymous.headers["vary"].lower()


async def test_keyed_reads_turn_away_who_has_no_key(client: AsyncClient) -> None:
    answer = await client.get(SCORE)
    problem(answer, 401, "unauthorized")
    assert answer.headers["www-authenticate"] == 'Bearer realm="chokepoint"'
    assert answer.headers["cache-control"] == "no-store"


async def test_keyed_reads_are_not_for_shared_caches(client: AsyncClient, make: Make) -> None:
    answer = await until(client, 200, await make())
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert {"accept", "authorization"} <= {name.strip().lower() for name in answer.headers["vary"].split(",")}
    again = await client.get(SCORE, headers=bearer(await make()) | {"If-None-Match": answer.headers["etag"]})
    assert again.status_code in (304, 401)  # a key just made is heard of a moment later


async def test_a_finished_answer_is_not_given_to_who_has_no_key(client: AsyncClient, make: Make) -> None:
    """An answer one key has made ready is refused to the next request without one."""
    first = await until(client, 200, await make())
    problem(await client.get(SCORE), 401, "unauthorized")
    problem(await client.get(SCORE, headers={"If-None-Match": first.headers["etag"]}), 401, "unauthorized")
    head = await client.head(SCORE)
    assert (head.status_code, head.content) == (401, b"")


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/openapi.json", "/docs"])
async def test_operation_and_documentation_need_no_key(client: AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer cpk_aaaaaaaa_" + "a" * 40,
        "Basic dXNlcjpwYXNz",
        "Bearer cpk_aaaaaaaa_" + "a" * 32 + "00000000",
        "Bearer \u00e9\u00e9",
    ],
)
async def test_what_is_not_a_key_is_refused(client: AsyncClient, header: str) -> None:
    answer = await client.get(SCORE, headers={"Authorization": header.encode("latin-1")})
    problem(answer, 401, "unauthorized")
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


async def test_two_keys_at_once_are_refused(client: AsyncClient, make: Make) -> None:
    key = await make()
    await until(client, 200, key)
    twice = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
    problem(await client.get(SCORE, headers=twice), 401, "unauthorized")


async def test_a_key_with_one_letter_changed_is_refused(client: AsyncClient, make: Make) -> None:
    key = await make()
    await until(client, 200, key)
    for place in range(len(key)):
        slip = key[:place] + ("b" if key[place] != "b" else "c") + key[place + 1 :]
        problem(await client.get(SCORE, headers=bearer(slip)), 401, "unauthorized")


async def test_a_key_of_another_secret_is_refused(client: AsyncClient, database: str) -> None:
    connection = await asyncpg.connect(database)
    _, foreign = await keys.create(connection, Secret(b"somebody else's secret, as long as ours"), "x", "admin")
    _, ours = await keys.create(connection, SECRET, "y", "read")
    await connection.close()
    await until(client, 200, ours)
    assert problem(await client.get(SCORE, headers=bearer(foreign)), 401, "unauthorized")["detail"] == (
        "no such API key exists"
    )


async def test_an_expired_key_is_refused(client: AsyncClient, make: Make) -> None:
    soon = await make(expires_at=datetime.now(UTC) + timedelta(seconds=0.7))
    await until(client, 200, soon)
    found = (await until(client, 401, soon)).json()
    assert found["detail"] == "the API key has expired"


async def test_a_revoked_key_is_refused_at_once(client: AsyncClient, make: Make, database: str) -> None:
    """The revocation is heard of by notification: well before the next look two seconds later."""
    key = await make()
    await until(client, 200, key)
    connection = await asyncpg.connect(database)
    assert await keys.revoke(connection, keys.key_id(key) or "", "lost")
    async with asyncio.timeout(1):
        answer = await until(client, 401, key)
    assert answer.json()["detail"] == "the API key has been revoked"
    assert not await keys.revoke(connection, keys.key_id(key) or "", "again")
    await connection.close()


async def test_a_revocation_that_nobody_announced_is_noticed(own_database: str) -> None:
    """Lost notifications cost at most the interval between two looks."""
    async with keyed(own_database) as client:
        key = await create(own_database)
        await until(client, 200, key)
        connection = await asyncpg.connect(own_database)
        await connection.execute("alter table api_key_revocation disable trigger announce")
        await keys.revoke(connection, keys.key_id(key) or "", "lost")
        await connection.close()
        await until(client, 401, key)


async def test_keys_are_known_from_the_first_request_on(own_database: str) -> None:
    """No worker begins to answer before it has read them."""
    key = await create(own_database)
    async with keyed(own_database) as client:
        assert (await client.get(SCORE, headers=bearer(key))).status_code == 200


async def test_keys_are_known_while_the_database_is_away(own_database: str, administrator: Connection[Record]) -> None:
    name = urlsplit(own_database).path[1:]
    async with keyed(own_database) as client:
        key = await create(own_database)
        await until(client, 200, key)
        await administrator.execute(f"alter database {name} allow_connections false")
        await administrator.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        await asyncio.sleep(0.3)
        for _ in range(3):
            assert (await client.get(SCORE, headers=bearer(key))).status_code == 200


async def test_a_write_needs_the_scope_write(database: str, make: Make) -> None:
    async with keyed(database, reads="open") as client:
        answer = await client.post("/v1/notes")
        assert "'write'" in problem(answer, 401, "unauthorized")["detail"]
        reader, writer, chief = await make("r", "read"), await make("w", "write"), await make("c", "admin")
        await asyncio.sleep(0.2)
        refused = await client.post("/v1/notes", headers=bearer(reader))
        assert (
            problem(refused, 403, "forbidden")["detail"]
            == "this needs a key with the scope 'write'; the one given has 'read'"
        )
        assert 'scope="write"' in refused.headers["www-authenticate"]
        for key, name in ((writer, "w"), (chief, "c")):
            written = await client.post("/v1/notes", headers=bearer(key))
            assert (written.status_code, written.json()["author"]) == (201, f"{name} (key {keys.key_id(key)})")


async def test_admin_includes_write_and_write_includes_read(client: AsyncClient, make: Make) -> None:
    allowed = {}
    for scope in keys.SCOPES:
        key = await make(scope, scope)
        await until(client, 200, key)
        write = await client.post("/v1/notes", headers=bearer(key))
        allowed[scope] = (write.status_code, (await client.get("/v1/secrets", headers=bearer(key))).status_code)
    assert allowed == {"read": (403, 403), "write": (201, 403), "admin": (201, 200)}


async def test_a_bad_key_is_refused_on_a_write_even_where_reads_are_open(database: str) -> None:
    async with keyed(database, reads="open") as client:
        problem(await client.post("/v1/notes", headers=bearer("cpk_no")), 401, "unauthorized")


async def test_without_a_secret_there_are_no_keys(database: str, make: Make) -> None:
    async with keyed(database, reads="open", secret=None) as client:
        answer = await client.post("/v1/notes", headers=bearer(await make("w", "write")))
        assert "CHOKEPOINT_SECRET" in problem(answer, 401, "unauthorized")["detail"]


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(database: str, make: Make) -> None:
    async with keyed(database, rate_limit=RateLimit(3, 60)) as client:
        hasty, other = await make("hasty"), await make("other")
        await asyncio.sleep(0.2)
        left = []
        for _ in range(3):
            answer = await client.get(SCORE, headers=bearer(hasty))
            assert answer.headers["ratelimit-policy"] == '"key";q=3;w=60'
            left.append(answer.headers["ratelimit"].split(";")[1])
        assert (left, answer.status_code) == (["r=2", "r=1", "r=0"], 200)
        refused = await client.get(SCORE, headers=bearer(hasty))
        problem(refused, 429, "rate-limited")
        assert 0 < int(refused.headers["retry-after"]) <= 20
        assert refused.headers["ratelimit"].startswith('"key";r=0;t=')
        assert (await client.get(SCORE, headers=bearer(other))).status_code == 200


async def test_refused_requests_and_finished_answers_are_counted(client: AsyncClient, make: Make) -> None:
    async def count(route: str, status: int) -> float:
        line = rf'^chokepoint_requests_total\{{route="{re.escape(route)}",status="{status}"\}} (\S+)$'
        found = re.search(line, (await client.get("/metrics")).text, re.MULTILINE)
        return float(found[1]) if found else 0.0

    key = await make()
    await until(client, 200, key)
    route = "/v1/minerals/{mineral}/score"
    before = await count("(refused)", 401), await count(route, 200)
    for _ in range(3):
        await client.get(SCORE)
        await client.get(SCORE, headers=bearer(key))
    assert (await count("(refused)", 401), await count(route, 200)) == (before[0] + 3, before[1] + 3)


async def test_no_log_error_or_metric_tells_a_key(
    client: AsyncClient, make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    key = await make()
    told = [(await until(client, 200, key)).text, (await client.get("/metrics")).text]
    told += [(await client.get(SCORE, headers=bearer(slip))).text for slip in (key[:-1], key.upper(), key + "a")]
    told += [(await client.get("/v1/minerals/nothing/score?buyer=USA", headers=bearer(key))).text]
    told += [str(record.__dict__) for record in caplog.records]
    hidden = key.rpartition("_")[2]
    assert not any(hidden[:16].lower() in text.lower() or SECRET.value.decode() in text for text in told)


async def test_the_ledger_keeps_keyed_hashes_that_never_change(database: str, make: Make) -> None:
    key = await make("kept", "admin")
    connection = await asyncpg.connect(database)
    row = await connection.fetchrow("select * from api_key where name = 'kept'")
    assert row is not None
    assert key.rpartition("_")[2].encode() not in str(dict(row)).encode()
    assert row["digest"] == keys.digest(SECRET, key)
    for attempt in ("update api_key set scope = 'admin'", "delete from api_key", "truncate api_key_revocation"):
        with pytest.raises(asyncpg.RestrictViolationError):
            await connection.execute(attempt)
    await connection.close()


async def test_the_revision_says_whose_key_wrote_it(own_database: str) -> None:
    connection = await asyncpg.connect(own_database)
    key, _ = await keys.create(connection, SECRET, "import job", "write")
    author = f"{key.name} (key {key.id})"
    async with revise(connection, author=author, reason="test") as draft:
        await draft.retract_revision(1)
    assert draft.revision is not None
    assert (draft.revision.author, draft.revision.retracts) == (author, 1)
    await connection.close()


async def test_the_contract_documents_the_key(client: AsyncClient) -> None:
    contract = (await client.get("/openapi.json")).json()
    assert contract["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    assert contract["security"] == [{}, {"key": []}]


def environment(dsn: str, home: Path) -> dict[str, str]:
    secret = SECRET.value.decode()
    return {"CHOKEPOINT_DATABASE_URL": dsn, "CHOKEPOINT_HOME": str(home), "CHOKEPOINT_SECRET": secret}


async def test_a_key_made_on_the_command_line_works(client: AsyncClient, database: str, tmp_path: Path) -> None:
    """It is shown once: the list names it without the part that is secret."""

    async def run(*arguments: str) -> str:
        program = (sys.executable, "-m", "service", "key", *arguments)
        env = {**os.environ, **environment(database, tmp_path)}
        process = await asyncio.create_subprocess_exec(*program, env=env, stdout=PIPE, stderr=DEVNULL)
        return (await process.communicate())[0].decode()

    key = (await run("create", "import job", "--scope", "write")).strip()
    assert keys.SHAPE.fullmatch(key)
    await until(client, 200, key)
    listed = await run("list")
    assert "import job" in listed
    assert key.rpartition("_")[2] not in listed
    assert await run("revoke", keys.key_id(key) or "", "--reason", "test") == "revoked\n"
    await until(client, 401, key)
    assert re.search(r"import job .* revoked", await run("list"))


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("create", "x", "--scope", "root"), "'root' is not one of"),
        (("create", "x"), "Missing option '--scope'"),
        (("create", "  ", "--scope", "read"), "1 to 80 printable characters"),
        (("create", "x", "--scope", "read", "--expires", "soon"), "neither a number of days"),
        (("create", "x", "--scope", "read", "--expires", "2020-01-01"), "2020-01-01 is over"),
        (("revoke", "aaaaaaaa"), "no key has the id 'aaaaaaaa'"),
    ],
)
def test_the_command_line_says_what_is_wrong(
    database: str, tmp_path: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    answer = CliRunner(env=environment(database, tmp_path)).invoke(main, ["key", *arguments])
    assert answer.exit_code == 2
    assert complaint in answer.output


def test_the_embedded_database_keeps_its_secret_in_a_file_for_its_owner_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    secret = secret_of(settings)
    assert secret_of(settings) == secret
    assert len(secret.value) >= 32
    assert stat.S_IMODE((tmp_path / "home" / "secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "home").iterdir()] == ["secret"]


def test_another_database_needs_a_secret_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(SecretError, match="CHOKEPOINT_SECRET"):
        secret_of(Settings(home=tmp_path, database_url="postgresql://localhost/risk"))
    assert not list(tmp_path.iterdir())


def test_a_secret_shows_nowhere() -> None:
    settings = Settings.from_env({"CHOKEPOINT_SECRET": "x" * 40})
    assert "x" * 8 not in f"{settings} {settings.secret!r} {settings.secret}"
    with pytest.raises(SettingsError, match="too short") as caught:
        Settings.from_env({"CHOKEPOINT_SECRET": "hunter2"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("limit", ["1000", "0/10", "10/0", "-1/5", "a/b", "1/2/3"])
def test_a_limit_that_is_none_is_refused(limit: str) -> None:
    with pytest.raises(SettingsError, match="CHOKEPOINT_RATE_LIMIT"):
        Settings.from_env({"CHOKEPOINT_RATE_LIMIT": limit})


async def test_writes_are_counted_too(database: str) -> None:
    async with keyed(database, reads="open") as client:
        await client.post("/v1/notes")
        line = 'chokepoint_requests_total{route="/v1/notes",status="401"}'
        assert line in (await client.get("/metrics")).text
