"""Errors: every one is a problem (RFC 9457) with a stable type, and names what is wrong with the request."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from typing import Any

import pytest
from httpx import AsyncClient, Response
from litestar import get

from schemas.problem import Problem
from service.app import create_app
from service.settings import Settings
from tests.serving import Service, asking

SCORE = "/v1/minerals/cobalt/score"


def problem(answer: Response, status: int, kind: str) -> dict[str, Any]:
    """The problem an answer is, having the status and type it must have."""
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, Any] = answer.json()
    assert (answer.status_code, told["status"], told["type"]) == (status, status, f"/problems/{kind}")
    assert set(told) <= set(Problem.__struct_fields__)
    assert told["title"]
    assert told["detail"]
    return told


def at_fault(told: dict[str, Any]) -> list[str]:
    return [fault["parameter"] for fault in told["errors"]]


async def test_a_parameter_nobody_knows_is_refused_by_name(client: AsyncClient, read: Any) -> None:
    """A misspelt filter must not silently give the unfiltered list."""
    answer = await client.get(read.path, params={**read.needed, "byuer": "USA"})
    told = problem(answer, 400, "unknown-parameter")
    assert at_fault(told) == ["byuer"]
    for name in (*read.needed, *read.optional):
        assert name in told["detail"]


async def test_a_parameter_given_twice_is_refused_by_name(client: AsyncClient, cached_read: Any) -> None:
    """Which of the two is meant cannot be known."""
    for name, value in (cached_read.needed | cached_read.optional).items():
        given = [*cached_read.needed.items(), (name, value), (name, value)]
        told = problem(await client.get(cached_read.path, params=given), 400, "unknown-parameter")
        assert at_fault(told) == [name]


async def test_all_that_is_wrong_with_the_parameters_is_told_at_once(client: AsyncClient) -> None:
    answer = await client.get("/v1/scores?buyer=USA&buyer=CHN&lsit=us-2025")
    assert at_fault(problem(answer, 400, "unknown-parameter")) == ["buyer", "lsit"]


@pytest.mark.parametrize(
    ("target", "parameter"),
    [
        (SCORE, "buyer"),
        (f"{SCORE}?buyer=usa", "buyer"),
        (f"{SCORE}?buyer=", "buyer"),
        (f"{SCORE}?buyer=USA&method=guesswork", "method"),
        (f"{SCORE}?buyer=USA&as_of=yesterday", "as_of"),
        (f"{SCORE}?buyer=USA&as_of=2026-02-30", "as_of"),
        (f"{SCORE}?buyer=USA&as_of=2026-02", "as_of"),
        (f"{SCORE}?buyer=USA&known_at=0", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=-1", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=1.5", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=newest", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=2026-13-45T00:00:00Z", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=2026-01-01T00:00:60Z", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=2026-01-01T00:00:00", "known_at"),
        ("/v1/minerals?limit=0", "limit"),
        ("/v1/minerals?limit=1001", "limit"),
        ("/v1/minerals?limit=many", "limit"),
        ("/v1/minerals?format=xml", "format"),
        ("/v1/minerals?cursor=no spaces", "cursor"),
        ("/v1/scores?buyer=USA&band=terrible", "band"),
        ("/v1/scores?buyer=USA&sort=size", "sort"),
        ("/v1/agreements?status=broken", "status"),
        ("/v1/agreements?binding=maybe", "binding"),
        ("/v1/agreements?status=null", "status"),
        ("/v1/scores?buyer=USA&band=NULL", "band"),
        ("/v1/minerals?as_of=null", "as_of"),
        ("/v1/restrictions?country=China", "country"),
    ],
)
async def test_a_value_that_cannot_be_meant_is_400_and_names_the_parameter(
    client: AsyncClient, target: str, parameter: str
) -> None:
    assert at_fault(problem(await client.get(target), 400, "invalid-request")) == [parameter]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            f"{SCORE}?buyer=usa",
            "'usa' is not a country's code, a bloc's id or several of them, such as CHN, EU or CAN,USA",
        ),
        (f"{SCORE}?buyer={'A' * 401}", f"'{'A' * 59}…' has more than 400 characters"),
        (f"{SCORE}?buyer=USA&method=guesswork", "'guesswork' is not one of available-to-market, eu-crm, "),
        (f"{SCORE}?buyer=USA&as_of=2026-02-30", "'2026-02-30' is not a date such as 2026-02-04"),
        (f"{SCORE}?buyer=USA&level=1", "'1' is not a number from 0.5 to 0.99"),
        (
            f"{SCORE}?buyer=USA&known_at=newest",
            "'newest' is not what is asked for, such as 1: What the ledger knew: ",
        ),
        (f"{SCORE}?buyer=USA&ladder=forum:2", "'forum:2' is not what is asked for, such as memorandum:1.0,forum:1.0: "),
        ("/v1/minerals?limit=1001", "'1001' is not a whole number from 1 to 1000"),
        ("/v1/minerals?cursor=no spaces", "'no spaces' is not what is asked for: The `next` of the page before; "),
        ("/v1/countries/Peru", "'Peru' is not a country's code, such as CHN"),
    ],
)
async def test_what_a_parameter_takes_is_said_in_words(client: AsyncClient, target: str, said: str) -> None:
    (fault,) = (await client.get(target)).json()["errors"]
    assert fault["detail"].startswith(said)


async def test_no_parameter_is_described_by_its_pattern_or_type(client: AsyncClient, read: Any) -> None:
    """Nobody should have to read a regular expression to ask for a score."""
    for name in (*read.needed, *read.optional):
        told = (await client.get(read.path, params={**read.needed, name: "?!"})).json()
        for fault in told.get("errors", []):
            assert not re.search(r"\^|Expected|Invalid|another value", fault["detail"]), (name, fault)


@pytest.mark.parametrize(
    ("target", "parameter"),
    [
        ("/v1/minerals/unobtainium", "mineral"),
        ("/v1/minerals/Cobalt", "mineral"),
        ("/v1/minerals/%00", "mineral"),
        ("/v1/countries/Peru", "country"),
        ("/v1/blocs/eu", "bloc"),
        ("/v1/minerals/unobtainium/score?buyer=USA", "mineral"),
        (f"{SCORE}?buyer=XXX", "buyer"),
        (f"{SCORE}?buyer=USA&known_at=999999", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=2000-01-01T00:00:00Z", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=2025-02-29T00:00:00Z", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=0000-01-01T00:00:00Z", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=0001-01-01T00:00:00%2B14:00", "known_at"),
        (f"{SCORE}?buyer=USA&known_at=9999-12-31T23:59:59-14:00", "known_at"),
        ("/v1/scores?buyer=USA&list=nobodys", "list"),
        ("/v1/minerals?list=nobodys", "list"),
        ("/v1/countries/XXX", "country"),
        ("/v1/blocs/XXX", "bloc"),
        ("/v1/sources/nobodys", "source"),
        ("/v1/agreements/nobodys", "agreement"),
        ("/v1/agreements?party=XXX", "party"),
        ("/v1/agreements?mineral=unobtainium", "mineral"),
        ("/v1/restrictions/nobodys", "restriction"),
        ("/v1/restrictions?buyer=XXX", "buyer"),
        ("/v1/restrictions?country=XXX", "country"),
        ("/v1/methods/guesswork", "method"),
    ],
)
async def test_a_name_nothing_has_is_404_and_names_the_parameter(
    client: AsyncClient, target: str, parameter: str
) -> None:
    assert at_fault(problem(await client.get(target), 404, "not-found")) == [parameter]


@pytest.mark.parametrize(
    ("target", "hint"),
    [
        ("/v1/minerals/cobolt", "cobalt"),
        ("/v1/minerals/kobalt", "Cobalt is 'cobalt'"),
        ("/v1/minerals/aluminium", "Aluminum is 'aluminum'"),
        (f"{SCORE}?buyer=UAS", "USA"),
        (f"{SCORE}?buyer=CAN,DE", "Germany is 'DEU'"),
        (f"{SCORE}?buyer=PERU", "Peru is 'PER'"),
        ("/v1/methods/partner-adjust", "partner-adjusted"),
        ("/v1/scores?buyer=USA&list=us-2026", "us-2025"),
    ],
)
async def test_a_near_miss_is_told_what_may_be_meant(client: AsyncClient, target: str, hint: str) -> None:
    """British, German and misspelt names lead to the id."""
    assert hint in (await client.get(target)).json()["detail"]


@pytest.mark.parametrize("query", ["", "?buyer=USA"])
async def test_what_a_path_takes_can_be_asked_of_it(client: AsyncClient, query: str) -> None:
    answer = await client.options(SCORE + query)
    assert (answer.status_code, answer.content) == (204, b"")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS"}


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/", "/v2/minerals", "/v1/minerals/cobalt/nothing", "/openapi"])
async def test_a_path_nothing_answers_to_is_404(client: AsyncClient, path: str) -> None:
    problem(await client.get(path), 404, "not-found")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_method_a_read_does_not_take_is_405_and_says_which_it_takes(
    client: AsyncClient, read: Any, method: str
) -> None:
    """RFC 9110 §15.5.6 wants `Allow`."""
    answer = await client.request(method, read.path)
    problem(answer, 405, "method-not-allowed")
    assert {"GET", "HEAD"} <= set(answer.headers["allow"].split(", "))


@pytest.mark.parametrize("accept", ["text/html", "application/xml, image/*", "application/json;q=0", "nonsense"])
async def test_a_format_no_list_has_is_406(client: AsyncClient, list_read: Any, accept: str) -> None:
    answer = await client.get(list_read.path, params=list_read.needed, headers={"accept": accept})
    assert at_fault(problem(answer, 406, "not-acceptable")) == ["Accept"]


async def test_a_type_has_one_title(client: AsyncClient) -> None:
    """RFC 9457 §3.1.3: the title does not change from one occurrence to the next."""
    titles: dict[str, set[str]] = {}
    for target in (
        "/nothing",
        "/v1/minerals/nothing",
        "/v1/sources/nothing",
        "/v1/minerals?x=1",
        "/v1/minerals?limit=1&limit=1",
    ):
        told = (await client.get(target)).json()
        titles.setdefault(told["type"], set()).add(told["title"])
    assert {kind: len(found) for kind, found in titles.items()} == dict.fromkeys(titles, 1)


async def test_an_unexpected_error_is_a_problem_that_tells_nothing_of_the_inside(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    """What went wrong goes to the log; the answer says only that it did."""

    @get("/broken", include_in_schema=False)
    async def broken() -> None:
        raise RuntimeError("secret of the house")

    service.app.register(broken)
    with caplog.at_level(logging.ERROR):
        answer = await service.client.get("/broken")
    problem(answer, 500, "internal-error")
    assert "secret" not in answer.text
    assert "secret of the house" in caplog.text


@pytest.fixture
async def without_database() -> AsyncIterator[AsyncClient]:
    """The application as it is when the database was away from the start."""
    async with asking(create_app(Settings(database_url="postgresql://nobody@127.0.0.1:1/none"))) as client:
        yield client


async def test_before_the_ledger_is_read_a_read_is_503_and_says_when_to_come_back(
    without_database: AsyncClient,
) -> None:
    for path in ("/v1/minerals", f"{SCORE}?buyer=USA", "/v1/agreements", "/health/ready"):
        answer = await without_database.get(path)
        problem(answer, 503, "unavailable")
        assert int(answer.headers["retry-after"]) > 0


async def test_before_the_ledger_is_read_the_process_is_alive(without_database: AsyncClient) -> None:
    """Restarting it would not help."""
    answer = await without_database.get("/health/live")
    assert (answer.status_code, answer.json()["database"]) == (200, "down")
    assert (await without_database.get("/v1/methods")).status_code == 200
