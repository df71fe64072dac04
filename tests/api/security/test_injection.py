"""What is asked or imported is data: it never becomes SQL, a formula, or more work than was asked for."""

from __future__ import annotations

import copy
import csv
import gzip
import io
import json
from typing import Any

import pytest
from httpx import AsyncClient, Response
from hypothesis import given
from hypothesis import strategies as st

from schemas.scenario import Scenario
from service.app import LARGEST_BODY
from service.formulas import marked, unmarked
from service.http.problems import LONGEST_TEXT, MOST_FAULTS
from service.http.scenarios import EXAMPLE
from service.http.uploads import LARGEST_AID
from service.intake import baci, files
from service.intake.forms import read
from service.world.rows import Source
from tests.api.security.asked import operations, resolved
from tests.api.security.conftest import House
from tests.evidence import source
from tests.serving import Service

SQL = (
    "'",
    "'; delete from share; --",
    "' or '1'='1",
    "x' union select digest::text from api_key --",
    '"; drop table revision cascade; --',
    "\\'; select pg_sleep(30); --",
    "$1",
    "1); truncate share; --",
)
"""What would change, tell or delay something if it ever became part of a statement."""

ANSWERS = range(200, 500)


async def test_no_parameter_of_any_route_becomes_sql(house: House) -> None:
    """Each parameter of the contract with each payload: an answer or a refusal, and the database as it was."""
    before = await house.content()
    asked = 0
    for operation in operations():
        for parameter in operation.parameters:
            name = parameter["name"]
            for payload in SQL:
                path, query = operation.path, dict(operation.query)
                if parameter["in"] == "path":
                    path = operation.path_with(name, payload.replace("%", "%25").replace("/", "%2F"))
                else:
                    query[name] = payload
                query |= {"dry_run": "true"} if operation.id == "import_file" else {}
                answer = await house.open.request(
                    operation.method, path, params=query, headers=house.key("write") | {"Content-Type": "text/csv"}
                )
                assert answer.status_code in ANSWERS, (operation.id, name, payload, answer.text)
                asked += 1
    assert asked > len(SQL) * 100
    assert await house.content() == before


def spoiled(document: Any, payload: str) -> list[Any]:
    """A document once for each text in it, with the payload in its place."""
    found: list[Any] = []

    def walk(part: Any) -> None:
        for key in range(len(part)) if isinstance(part, list) else list(part):
            kept = part[key]
            if isinstance(kept, str):
                part[key] = payload
                found.append(copy.deepcopy(document))
                part[key] = kept
            elif isinstance(kept, list | dict):
                walk(kept)

    walk(document)
    return found


EVERY_CHANGE = [
    {"change": "sign", "agreement": {"id": "x", "type": "forum", "binding": False, "parties": ["USA", "PER"]}},
    {"change": "terminate", "agreement": "us-argentina-mou-2026"},
    {"change": "impose_restriction", "country": "CHN", "type": "ban", "minerals": ["gallium"], "buyers": ["USA"]},
    {"change": "lift_restriction", "country": "CHN", "minerals": ["gallium"]},
    {"change": "lose_supplier", "country": "CHN", "minerals": ["gallium"], "fraction": 0.5},
    {"change": "move_share", "mineral": "gallium", "stage": "processing", "from": "CHN", "to": "USA", "share": 0.01},
    {"change": "set_governance", "country": "CHN", "weight": 0.5},
    {"change": "join_bloc", "country": "PER", "bloc": "EU"},
    {"change": "define_bloc", "id": "OURS", "members": ["PER", "CHL"]},
    {"change": "set_ladder", "steps": {"forum": 1.0}},
]


async def test_no_text_in_a_body_becomes_sql(house: House) -> None:
    """Every text in a scenario, and the reason of a retraction."""
    before = await house.content()
    scenario = {"changes": EVERY_CHANGE, "buyers": ["USA"], "minerals": ["gallium"], "as_of": "2026-02-05"}
    worked = await house.open.post("/v1/scenarios", json=scenario)
    assert worked.status_code == 200, worked.text
    for payload in SQL[1:5]:
        for body in spoiled(scenario, payload):
            answer = await house.open.post("/v1/scenarios", json=body)
            assert answer.status_code in (400, 422), body
        told = {"reason": payload}
        answer = await house.open.post("/v1/revisions/999999/retraction", json=told, headers=house.key("write"))
        assert answer.status_code == 404
    assert await house.content() == before


async def test_no_cell_of_a_file_becomes_sql(house: House) -> None:
    """In every column of a form: refused, or taken word for word."""
    before = await house.content()
    good = {
        "id": "a-survey",
        "title": "T",
        "publisher": "P",
        "edition": "E",
        "url": "u",
        "retrieved": "2026-01-01",
        "licence": "free",
        "evidence_level": "statistics",
        "precedence": "100",
        "attribution": "A",
        "note": "N",
    }
    for payload in SQL:
        rows = [good | {"id": f"survey-{place}"} | {column: payload} for place, column in enumerate(good)]
        answer = await sent(house, rows)
        assert answer.status_code == 422, (payload, answer.text)
    assert await house.content() == before
    written = await sent(house, [good | dict.fromkeys(("title", "note", "url"), SQL[1])], reason=SQL[4], name=SQL[3])
    assert written.status_code == 201
    after = await house.content()
    assert {table for table in after if after[table] != before[table]} == {"revision", "source"}


async def sent(house: House, rows: list[dict[str, str]], **parameters: str) -> Response:
    """Imports sources."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    headers = house.key("write") | {"Content-Type": "text/csv"}
    content = text.getvalue().encode()
    return await house.open.post(
        "/v1/imports", params={"format": "form:source"} | parameters, content=content, headers=headers
    )


# --- bodies ---


def a_scenario(more: str) -> bytes:
    return f'{{"changes":[],"buyers":["USA"]{more}}}'.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b"[" * 200_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        a_scenario(',"minerals":' + "[" * 900 + "]" * 900),
        a_scenario(',"ladder":' + '{"a":' * 2_000 + "1" + "}" * 2_000),
        a_scenario(',"known_at":' + "9" * 100_000),
        a_scenario(',"known_at":9223372036854775808'),
        a_scenario(',"known_at":1e400'),
        a_scenario(',"known_at":-1'),
        a_scenario(',"known_at":NaN'),
        a_scenario(',"ladder":{"forum":Infinity}'),
        a_scenario(',"attribution":"' + "A" * 900_000 + '"'),
        a_scenario(',"' + "A" * 900_000 + '":1'),
        a_scenario(',"ladder":{"' + "x" * 500_000 + '":1}'),
        a_scenario(',"minerals":["\\u0000"]'),
        a_scenario(',"minerals":["\x00"]'),
        a_scenario(',"minerals":["\\ud800"]'),
        a_scenario(',"minerals":["\ud800"]'),
        a_scenario(',"minerals":["').replace(b"}", b"") + b'\xff"]}',
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf" + a_scenario(""),
        b'{"changes":[],"buyers":["USA"],"buyers":["XXX"]}',
        a_scenario("," + ",".join(f'"a{n}":1' for n in range(50_000))),
    ],
)
async def test_a_senseless_body_is_refused_in_few_words(client: AsyncClient, body: bytes) -> None:
    """Never an error of the service, and never an answer that grows with the request."""
    assert len(body) <= LARGEST_BODY
    answer = await client.post("/v1/scenarios", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422), answer.text[:300]
    assert answer.headers["content-type"] == "application/problem+json"
    assert len(answer.content) < 10 * LONGEST_TEXT


@pytest.mark.parametrize(
    "query",
    [
        "&".join(f"a{n}=1" for n in range(5_000)),
        "a&" * 30_000,
        "buyer=USA&method=" + "A" * 60_000,
        "%ff=1&%00=2&%ed%a0%80=3",
        "buyer=USA&level=" + "9" * 5_000,
        "buyer=" + "USA," * 5_000,
        "buyer=USA&ladder=" + "forum:1," * 5_000,
    ],
)
async def test_a_senseless_query_is_refused_in_few_words(client: AsyncClient, query: str) -> None:
    answer = await client.get(f"/v1/minerals/cobalt/score?{query}")
    assert answer.status_code == 400
    assert len(answer.json()["errors"]) <= MOST_FAULTS
    assert len(answer.content) < 30 * LONGEST_TEXT


async def test_a_body_is_not_unpacked(client: AsyncClient) -> None:
    """JSON comes as it is: whoever says otherwise is told so, before a byte of a bomb is unpacked."""
    bomb = gzip.compress(b" " * 10_000_000 + json.dumps(EXAMPLE).encode())
    for coding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
        headers = {"Content-Type": "application/json", "Content-Encoding": coding}
        answer = await client.post("/v1/scenarios", content=bomb, headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (415, "/problems/unsupported-media-type")
    same = {"Content-Type": "application/json", "Content-Encoding": "identity"}
    assert (await client.post("/v1/scenarios", json=EXAMPLE, headers=same)).status_code == 200


# --- files ---


async def test_a_bomb_is_refused_wherever_a_file_is_taken(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As body, as the file of a form, and as the file of country codes: counted by what has been unpacked by then."""
    unpacked: list[int] = []
    reading = files._Unpacked.readinto

    def counted(self: Any, buffer: Any) -> int:
        unpacked.append(reading(self, buffer))
        return unpacked[-1]

    monkeypatch.setattr(files._Unpacked, "readinto", counted)
    line = b"mineral,stage,period_start,period_end,country,share,printed\n"
    filler = b" " * 60_000 + b"\n"
    bomb = gzip.compress(line + filler * 1_000)
    key = house.key("write")
    wanted = {"format": "form:share", "source": "usgs-mcs-2026"}
    raw = await house.open.post(
        "/v1/imports", params=wanted, content=bomb, headers=key | {"Content-Type": "application/gzip"}
    )
    form = await house.open.post("/v1/imports", params=wanted, files={"file": ("a.csv", bomb)}, headers=key)
    for answer in (raw, form):
        assert answer.status_code == 422
        assert any("times its size" in fault["expected"] for fault in answer.json()["errors"])
    codes = {"file": ("a.csv", b"t,i,j,k,v,q\n"), "codes": ("c.csv", bomb)}
    baci_format = {"format": "baci", "source": "usgs-mcs-2026"}
    aid = await house.open.post("/v1/imports", params=baci_format, files=codes, headers=key)
    assert aid.status_code == 400
    assert sum(unpacked) < 3 * (files.RATIO_FROM + files.GREATEST_RATIO * len(bomb))


@pytest.mark.parametrize("part", ["map", "codes"])
async def test_what_goes_with_a_file_is_small(house: House, part: str) -> None:
    """A map of names or a file of country codes of a megabyte is none."""
    sent_files = {"file": ("a.csv", b"a,b\n"), part: ("b.csv", b"x" * (LARGEST_AID + 1))}
    answer = await house.open.post("/v1/imports?format=baci", files=sent_files, headers=house.key("write"))
    assert answer.status_code == 400
    assert part in answer.json()["detail"]


@pytest.mark.parametrize(
    "codes",
    [
        b"country_code,country_iso3\n" + b"".join(b"%d,AAA\n" % n for n in range(baci.MOST_COUNTRIES + 1)),
        b'country_code,country_iso3\n1,"' + (b"x" * 60_000 + b"\n") * 4,
        b"\xff\xfe\x00",
    ],
)
async def test_a_file_of_country_codes_that_is_none_is_refused(house: House, codes: bytes) -> None:
    sent_files = {"file": ("a.csv", b"t,i,j,k,v,q\n"), "codes": ("b.csv", codes)}
    wanted = {"format": "baci", "source": "usgs-mcs-2026"}
    answer = await house.open.post("/v1/imports", params=wanted, files=sent_files, headers=house.key("write"))
    assert answer.status_code == 400
    assert "country codes" in answer.json()["detail"]


# --- formulas ---

FORMULAS = ("=1+1", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "＝1", "＋1", "－1", "＠1")


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_would_run_is_marked_and_read_back(text: str) -> None:
    """In the cell, and after a semicolon, where some spreadsheets begin another cell."""
    assert marked(text) == f"'{text}"
    assert marked(f"x;{text};y") == f"x;'{text};y"
    assert unmarked(marked(text)) == text


@pytest.mark.parametrize("text", ["", "cobalt", "a-b", "a=b", "'tis", "x; -y", "''", "1e-5", "K01;K02"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert marked(text) == unmarked(text) == text


@given(st.text(alphabet=st.sampled_from("'=+-@\t\r\n;ax＝"), max_size=12))
def test_nothing_is_lost_by_marking(text: str) -> None:
    """Whatever the text, marked text included, it is read back as it was, and no part of it begins as a formula."""
    assert unmarked(marked(text)) == text
    assert not any(part.startswith(tuple("=+-@\t\r\n＝")) for part in marked(text).split(";"))


async def test_csv_answers_run_nothing_and_can_be_read_back(service: Service) -> None:
    """Text is marked and comes back as it was when a form brings it in; numbers below zero stay numbers."""
    trap = {"title": "=HYPERLINK(0)", "publisher": "x;=1+1", "note": "'=1", "attribution": "\t@a"}
    await service.write([source("trap", **trap)])
    table = (await service.client.get("/v1/sources?format=csv&limit=1000")).text
    row = next(row for row in csv.DictReader(io.StringIO(table, newline="")) if row["id"] == "trap")
    assert [row[name] for name in trap] == ["'=HYPERLINK(0)", "x;'=1+1", "''=1", "'\t@a"]
    form = io.StringIO()
    cells = {name: row[name] for name in Source.__struct_fields__ if name in row}
    writer = csv.DictWriter(form, list(cells))
    writer.writeheader()
    writer.writerow(cells)
    (back,) = read(Source, io.StringIO(form.getvalue(), newline=""))
    assert isinstance(back, Source)
    assert {name: getattr(back, name) for name in trap} == trap


async def test_numbers_below_zero_stay_numbers(client: AsyncClient) -> None:
    countries = (await client.get("/v1/countries?format=csv&limit=1000&as_of=2026-02-05")).text
    cells = [cell for row in csv.reader(io.StringIO(countries, newline="")) for cell in row]
    assert not any(cell.startswith("'") for cell in cells)


def test_the_body_that_is_spoiled_is_every_kind_of_text() -> None:
    """The walk above would be empty if a change lost its texts."""
    assert len(spoiled({"changes": EVERY_CHANGE, "buyers": ["USA"]}, "x")) > 30
    assert resolved({"type": "string"}) == {"type": "string"}
    assert Scenario.__struct_fields__[0] == "changes"
