"""Writing over HTTP: who may, what is taken, what the answer says, and what the reads say afterwards."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest
from asyncpg import Connection, Record
from httpx import AsyncClient, Response

from service.app import create_app
from service.http.imports import LARGEST_FILE
from service.settings import Secret, Settings
from service.store import keys
from tests.serving import asking

SECRET = Secret(b"a secret that only these tests know of")

SHARES = """\
mineral,stage,period_start,period_end,country,share,printed
gallium,processing,2025,2025,CHN,0.5,50%
gallium,processing,2025,2025,CAN,0.4,40%
"""
"""A picture of gallium that is not the shipped one."""

FORM = {"format": "form:share", "source": "usgs-mcs-2026"}


class Writer:
    """A client with a key that may write."""

    def __init__(self, client: AsyncClient, dsn: str, written: str, read: str) -> None:
        self.client = client
        self.dsn = dsn
        self.key = {"Authorization": f"Bearer {written}"}
        self.reading_key = {"Authorization": f"Bearer {read}"}

    async def send(self, body: bytes | str = SHARES, media_type: str = "text/csv", **parameters: Any) -> Response:
        """Imports a body as it is."""
        headers = {**self.key, "Content-Type": media_type}
        return await self.client.post("/v1/imports", params=FORM | parameters, content=body, headers=headers)

    async def head(self) -> int:
        """The number of the newest revision in the database."""
        connection = await asyncpg.connect(self.dsn)
        number: int = await connection.fetchval("select max(id) from revision")
        await connection.close()
        return number

    async def served(self, revision: int) -> None:
        """Waits until a revision is served."""
        async with asyncio.timeout(5):
            while (await self.client.get("/health/live")).json()["known_at"] < revision:
                await asyncio.sleep(0.01)

    async def score(self, known_at: int) -> bytes:
        """The bytes of an answer about gallium."""
        parameters = {"buyer": "USA", "as_of": "2026-02-05", "known_at": known_at}
        answer = await self.client.get("/v1/minerals/gallium/score", params=parameters)
        assert answer.status_code == 200
        return answer.content


@pytest.fixture
async def writer(postgres: Any, administrator: Connection[Record], seeded: str) -> AsyncIterator[Writer]:
    """The application over shipped evidence of the test's own, and who may write to it."""
    name = f"imports_{next(postgres.numbers)}"
    await administrator.execute(f"create database {name} template {seeded}")
    dsn = postgres.database(name)
    connection = await asyncpg.connect(dsn)
    _, writing = await keys.create(connection, SECRET, "the intake", "write")
    _, reading = await keys.create(connection, SECRET, "a reader", "read")
    await connection.close()
    async with asking(create_app(Settings(database_url=dsn, secret=SECRET))) as client:
        found = Writer(client, dsn, writing, reading)
        async with asyncio.timeout(5):
            while (await client.post("/v1/imports", headers=found.key)).status_code == 503:  # the keys are being read
                await asyncio.sleep(0.01)
        yield found
    await administrator.execute(f"drop database {name} with (force)")


async def test_nobody_writes_without_a_key_for_it(writer: Writer) -> None:
    """No key is 401, a key that only reads 403, and neither leaves anything."""
    asked = [("/v1/imports", {"content": SHARES}), ("/v1/revisions/1/retraction", {"json": {"reason": "no"}})]
    for path, body in asked:
        parameters = FORM if path == "/v1/imports" else {}
        for headers, status in (({}, 401), (writer.reading_key, 403)):
            answer = await writer.client.post(path, params=parameters, headers=headers, **body)  # type: ignore[arg-type]
            assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert await writer.head() == 1


async def test_a_service_without_keys_takes_no_writes(service: Any) -> None:
    """Where no secret is set there are no keys, and so nobody may write."""
    answer = await service.client.post("/v1/imports", params=FORM, content=SHARES)
    assert answer.status_code == 401


async def test_an_import_is_one_revision_that_says_who_why_and_from_what(writer: Writer) -> None:
    """201 with the revision's place; the reads that follow have it, and the older answers stay what they were."""
    before = await writer.score(1)
    answer = await writer.send(name="gallium.csv", reason="a better picture")
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/v1/revisions/2"
    report = answer.json()
    assert report["status"] == "written"
    assert report["rows"] == [{"kind": "share", "read": 2, "added": 1, "changed": 1}]
    revision = report["revision"]
    assert (revision["revision"], revision["reason"], revision["rows"]) == (2, "a better picture", {"share": 2})
    assert revision["author"].startswith("the intake (key ")
    assert revision["file"]["name"] == "gallium.csv"
    await writer.served(2)
    assert await writer.score(1) == before
    assert await writer.score(2) != before


async def test_the_same_file_twice_makes_no_second_revision(writer: Writer) -> None:
    """200, and it says that the ledger holds all of it."""
    assert (await writer.send()).status_code == 201
    again = await writer.send()
    assert (again.status_code, again.json()["status"], again.json()["revision"]) == (200, "unchanged", None)
    assert again.json()["rows"] == [{"kind": "share", "read": 2, "added": 0, "changed": 0}]
    assert await writer.head() == 2


async def test_a_dry_run_shows_the_rows_and_the_scores_and_changes_nothing(writer: Writer) -> None:
    """The differences it shows are those that the import then makes."""
    shown = await writer.send(dry_run="true", buyers="USA,EU")
    assert shown.status_code == 200
    report = shown.json()
    assert (report["status"], report["revision"]["revision"]) == ("dry_run", 2)
    assert {(moved["mineral"], moved["buyer"]) for moved in report["moved"]} == {("gallium", "USA"), ("gallium", "EU")}
    assert all(moved["difference"] < 0 for moved in report["moved"])
    assert await writer.head() == 1
    written = (await writer.send()).json()
    assert written["revision"]["data_version"] == report["revision"]["data_version"]
    await writer.served(2)
    today = (await writer.client.get("/v1/minerals/gallium/score", params={"buyer": "USA"})).json()
    assert today["score"] == next(moved["after"] for moved in report["moved"] if moved["buyer"] == "USA")


async def test_every_problem_of_a_file_is_in_the_answer(writer: Writer) -> None:
    """422 with line, column, value and what was expected, and nothing is changed."""
    spoiled = SHARES.replace("0.5,50%", "2.81,281%").replace("CAN", "XXZ") + "gallium,mining,2025,2025,USA,nan,W\n"
    answer = await writer.send(spoiled, name="spoiled.csv")
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    problem = answer.json()
    assert problem["type"] == "/problems/unreadable-file"
    assert problem["detail"] == "spoiled.csv has 4 problems; nothing was changed"
    assert [(e["line"], e["column"], e["value"]) for e in problem["errors"]] == [
        (2, "share", "2.81"),
        (3, "country", "XXZ"),
        (4, "stage", "mining"),
        (4, "share", "nan"),
    ]
    assert problem["errors"][0]["expected"] == "a number from 0 to 1, or nothing"
    assert problem["errors"][1]["expected"].startswith("a known country; closest known: ")
    assert await writer.head() == 1


async def test_a_form_brings_the_files_name_and_a_map(writer: Writer) -> None:
    """As browsers and curl send files; the map teaches what a name of the file means."""
    files = {
        "file": ("shares of gallium.csv", gzip.compress(SHARES.replace("CHN", "Cathay").encode())),
        "map": ("map.csv", b"printed,meant\nCathay,CHN\n"),
    }
    answer = await writer.client.post("/v1/imports", params=FORM, files=files, headers=writer.key)
    assert answer.status_code == 201, answer.text
    assert answer.json()["revision"]["file"]["name"] == "shares of gallium.csv"


@pytest.mark.parametrize(
    ("files", "detail"),
    [
        ({"table": ("a.csv", b"")}, "'table'"),
        ({"map": ("a.csv", b"printed,meant\n")}, "no part called file"),
        ({"file": ("a.csv", b""), "map": ("m.csv", b"from,to\n")}, "printed,meant"),
    ],
)
async def test_a_form_of_other_parts_is_refused(writer: Writer, files: Any, detail: str) -> None:
    """400, with the part that is at fault."""
    answer = await writer.client.post("/v1/imports", params=FORM, files=files, headers=writer.key)
    assert answer.status_code == 400
    assert detail in answer.json()["detail"]


@pytest.mark.parametrize(
    ("parameters", "at_fault"),
    [
        ({"format": "usgs"}, "format"),
        ({"source": "nobodys"}, "source"),
        ({"format": "wgi", "source": None}, "edition"),
        ({"dry_run": "true", "buyers": "ATLANTIS"}, "buyers"),
        ({"surprise": "1"}, "surprise"),
        ({"reason": "no\0text"}, "reason"),
    ],
)
async def test_a_request_that_cannot_be_begun_names_the_parameter(
    writer: Writer, parameters: dict[str, Any], at_fault: str
) -> None:
    """400, before anything is read."""
    asked = {name: value for name, value in (FORM | parameters).items() if value is not None}
    headers = {**writer.key, "Content-Type": "text/csv"}
    answer = await writer.client.post("/v1/imports", params=asked, content=SHARES, headers=headers)
    assert answer.status_code == 400, answer.text
    assert [error["parameter"] for error in answer.json()["errors"]] == [at_fault]


async def test_only_tables_are_taken(writer: Writer) -> None:
    """415 for any other kind of body, 413 beyond the limit."""
    assert (await writer.send("{}", "application/json")).status_code == 415
    large = await writer.send(b"x" * (LARGEST_FILE + 1))
    assert (large.status_code, large.headers["content-type"]) == (413, "application/problem+json")


async def test_a_revision_is_taken_back_by_a_newer_one(writer: Writer) -> None:
    """The score is again what it was before, and each revision goes on answering what it answered."""
    before = await writer.score(1)
    await writer.send()
    await writer.served(2)
    between = await writer.score(2)
    path, body = "/v1/revisions/2/retraction", {"reason": "the wrong picture"}
    answer = await writer.client.post(path, json=body, headers=writer.key)
    assert answer.status_code == 201, answer.text
    revision = answer.json()["revision"]
    assert (revision["revision"], revision["retracts"], revision["reason"]) == (3, 2, "the wrong picture")
    await writer.served(3)
    assert (await writer.client.get("/v1/revisions/3")).json()["revision"]["data_version"] == (
        (await writer.client.get("/v1/revisions/1")).json()["revision"]["data_version"]
    )
    assert (await writer.score(1), await writer.score(2)) == (before, between)
    again = await writer.client.post(path, json=body, headers=writer.key)
    assert (again.status_code, again.json()) == (200, {"status": "unchanged", "revision": None})


async def test_what_newer_evidence_refers_to_cannot_be_taken_back(writer: Writer) -> None:
    """409: without its source, the newer row would cite nothing."""
    source = (
        "id,title,publisher,retrieved,licence,evidence_level,precedence\nnew,New,Somebody,2026,free,statistics,900\n"
    )
    assert (await writer.send(source, format="form:source")).status_code == 201
    assert (await writer.send(source="new")).status_code == 201
    answer = await writer.client.post("/v1/revisions/2/retraction", json={"reason": "no"}, headers=writer.key)
    assert answer.status_code == 409
    assert "'new'" in answer.json()["detail"]
    missing = await writer.client.post("/v1/revisions/99/retraction", json={"reason": "no"}, headers=writer.key)
    assert missing.status_code == 404


async def test_writes_are_refused_while_the_database_is_away(writer: Writer, administrator: Connection[Record]) -> None:
    """503 with when to ask again; reads go on."""
    name = writer.dsn.split("?")[0].rsplit("/", 1)[1]
    await administrator.execute(f"alter database {name} with allow_connections false")
    try:
        answer = await writer.send()
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
        assert (await writer.client.get("/v1/scores", params={"buyer": "USA"})).status_code == 200
    finally:
        await administrator.execute(f"alter database {name} with allow_connections true")
    assert (await writer.send()).status_code == 201
