"""Lists: pages by cursor, JSON, CSV and NDJSON, filters and order."""

from __future__ import annotations

import csv
import io
import json
from itertools import pairwise
from typing import Any

import pytest
from httpx import AsyncClient

from tests.evidence import mineral, source
from tests.serving import Service

DAY = {"as_of": "2026-02-05"}


async def whole(client: AsyncClient, read: Any, **parameters: str) -> dict[str, Any]:
    answer = await client.get(read.path, params=read.needed | DAY | {"limit": "1000"} | parameters)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def test_pages_hold_the_whole_list_once_and_in_order(client: AsyncClient, list_read: Any) -> None:
    """No gap and no repeat, whatever the size of a page; every page tells the length of the whole."""
    everything = await whole(client, list_read)
    assert everything["next"] is None
    assert everything["total"] == len(everything["items"]) > 0
    for size in (1 if everything["total"] < 20 else 19, everything["total"]):
        walked, cursor = [], {}
        while True:
            page = await whole(client, list_read, limit=str(min(size, 1000)), **cursor)
            assert page["total"] == everything["total"]
            walked += page["items"]
            if page["next"] is None:
                break
            assert len(page["items"]) == size
            cursor = {"cursor": page["next"]}
        assert walked == everything["items"]


async def test_a_list_says_what_it_was_read_from(client: AsyncClient, list_read: Any) -> None:
    told = await whole(client, list_read)
    assert (told["as_of"], told["known_at"]) == ("2026-02-05", 1)
    assert len(told["data_version"]) == 32


async def test_a_page_of_a_list_that_has_moved_on_is_refused(service: Service) -> None:
    """Going on would skip or repeat; the refusal tells how to go on with the list as it was."""
    first = await service.get("/v1/sources", limit=2)
    await service.write([source("aaa-is-now-the-first")])
    stale = {"limit": 2, "cursor": first["next"]}
    answer = await service.client.get("/v1/sources", params=stale)
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-cursor")
    assert "known_at=1" in answer.json()["detail"]
    second = await service.get("/v1/sources", known_at=1, **stale)
    assert first["items"] + second["items"] == (await service.get("/v1/sources", known_at=1, limit=4))["items"]


@pytest.mark.parametrize("cursor", ["x", "MTIz", "MS4tMQ", "MS45OTk5OTk", "MS4x" * 20, "4pyT"])
async def test_a_cursor_no_page_gave_out_is_refused(client: AsyncClient, cursor: str) -> None:
    answer = await client.get("/v1/minerals", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/unknown-cursor")
    assert answer.json()["errors"][0]["parameter"] == "cursor"


async def test_ndjson_holds_what_json_holds(client: AsyncClient, list_read: Any) -> None:
    """One item a line and nothing else."""
    items = (await whole(client, list_read))["items"]
    wanted = list_read.needed | DAY | {"limit": "1000", "format": "ndjson"}
    lines = await client.get(list_read.path, params=wanted)
    assert [json.loads(line) for line in lines.text.splitlines()] == items


async def test_csv_holds_what_json_holds(client: AsyncClient, list_read: Any) -> None:
    """Inner objects are `outer.inner` columns, lists are joined by `;`, anything deeper is JSON."""
    items = (await whole(client, list_read))["items"]
    answer = await client.get(list_read.path, params=list_read.needed | DAY | {"limit": "1000", "format": "csv"})
    header, *rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert len(rows) == len(items)
    for row, item in zip(rows, items, strict=True):
        assert row == [as_cell(item, name) for name in header]
    told = {name for item in items for name in item}
    assert {name.partition(".")[0] for name in header} == told


def as_cell(item: dict[str, Any], column: str) -> str:
    """What a column of CSV holds of a JSON entry."""
    value: Any = item
    for name in column.split("."):
        value = value and value[name]  # an inner object that is missing has no parts
    if isinstance(value, list):
        return ";".join(part if isinstance(part, str) else as_json(part) for part in value)
    return as_json(value) if isinstance(value, dict) else "" if value is None else str(value)


def as_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


async def test_csv_has_the_same_columns_on_every_page(client: AsyncClient, list_read: Any) -> None:
    """Also on an empty one: whoever reads it need not look at the rows first."""
    wanted = list_read.needed | DAY | {"format": "csv"}
    whole = await client.get(list_read.path, params=wanted | {"limit": "1000"})
    part = await client.get(list_read.path, params=wanted | {"limit": "1"})
    assert whole.text.splitlines()[0] == part.text.splitlines()[0]


async def test_csv_is_rfc_4180(client: AsyncClient) -> None:
    """CRLF line ends, a header, commas and quotes inside quotes."""
    answer = await client.get("/v1/sources?format=csv")
    assert answer.headers["content-type"] == "text/csv; header=present; charset=utf-8"
    assert answer.content.endswith(b"\r\n")
    assert b"\n" not in answer.content.replace(b"\r\n", b"")
    assert answer.text.startswith("id,title,publisher,")
    assert '"""KI-Boom' in answer.text or '""KI-Boom' in answer.text


async def test_no_cell_of_csv_is_a_formula(service: Service) -> None:
    """A spreadsheet runs what begins with = + - or @, and evidence comes from anywhere; JSON keeps it as it is."""
    trap = "=HYPERLINK(0)"
    await service.write(
        [
            source("trap", title=trap, publisher="+1", edition="-1", note="@SUM(1)", attribution="\tx", url="\rx"),
            mineral("trap", name_en=trap, source="trap"),
        ]
    )
    table = (await service.client.get("/v1/sources?format=csv&limit=1000")).text
    row = next(row for row in csv.DictReader(io.StringIO(table, newline="")) if row["id"] == "trap")
    for name in ("title", "publisher", "edition", "note", "attribution", "url"):
        assert row[name].startswith("'")
    names = (await service.client.get("/v1/minerals?format=csv&limit=1000")).text
    assert f"trap,'{trap}," in names
    listed = await service.get("/v1/sources", limit=1000)
    assert trap in {item["title"] for item in listed["items"]}


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("application/json", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("application/x-ndjson", "application/x-ndjson"),
        ("TEXT/CSV", "text/csv"),
        ("text/html, */*;q=0.1", "application/json"),
        ("text/csv;q=0.5, application/x-ndjson;q=0.9", "application/x-ndjson"),
        ("application/json;q=0, text/csv", "text/csv"),
        ("text/csv; q=0.2, application/json; q=0.1", "text/csv"),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json"),
    ],
)
async def test_the_accept_header_chooses_the_format(client: AsyncClient, accept: str, media: str) -> None:
    answer = await client.get("/v1/minerals", headers={"accept": accept})
    assert answer.headers["content-type"].split(";")[0] == media


async def test_the_accept_header_may_have_several_lines(client: AsyncClient) -> None:
    answer = await client.get("/v1/minerals", headers=[("accept", "text/html"), ("accept", "text/csv")])
    assert answer.headers["content-type"].split(";")[0] == "text/csv"


async def test_format_goes_before_accept(client: AsyncClient) -> None:
    """A link can say it, which a header cannot."""
    answer = await client.get("/v1/minerals?format=csv", headers={"accept": "text/html"})
    assert answer.headers["content-type"].split(";")[0] == "text/csv"


async def test_csv_and_ndjson_give_the_next_cursor_in_a_header(client: AsyncClient) -> None:
    told = (await client.get("/v1/minerals?limit=5")).json()
    for form in ("csv", "ndjson"):
        assert (await client.get(f"/v1/minerals?limit=5&format={form}")).headers["x-next-cursor"] == told["next"]
        assert "x-next-cursor" not in (await client.get(f"/v1/minerals?limit=1000&format={form}")).headers


async def scores(client: AsyncClient, **parameters: str) -> list[dict[str, Any]]:
    answer = await client.get("/v1/scores", params={"buyer": "USA", **DAY, "limit": "1000", **parameters})
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def test_scores_come_highest_first_and_those_without_last(client: AsyncClient) -> None:
    rows = await scores(client)
    points = [row["score"] for row in rows]
    scored = [score for score in points if score is not None]
    assert points == sorted(scored, reverse=True) + [None] * (len(points) - len(scored))
    assert len(scored) < len(points)
    for row, after in pairwise(rows):
        if row["score"] == after["score"]:
            assert row["mineral"] < after["mineral"]


async def test_scores_sort_both_ways_by_score_and_by_mineral(client: AsyncClient) -> None:
    """Minerals without a score come last either way: they are not the safest."""
    upward = [row["score"] for row in await scores(client, sort="score")]
    scored = [score for score in upward if score is not None]
    assert upward == sorted(scored) + [None] * (len(upward) - len(scored))
    names = [row["mineral"] for row in await scores(client, sort="mineral")]
    assert names == sorted(names)
    assert [row["mineral"] for row in await scores(client, sort="-mineral")] == names[::-1]


async def test_scores_of_a_list_are_those_of_its_minerals(client: AsyncClient) -> None:
    """All sixty of the US list of 2025 have a line, scored or not."""
    rows = await scores(client, list="us-2025")
    listed = (await client.get("/v1/minerals", params={"list": "us-2025", **DAY})).json()
    assert {row["mineral"] for row in rows} == {item["id"] for item in listed["items"]}
    assert len(rows) == 60


async def test_scores_of_a_band_are_those_that_print_it(client: AsyncClient) -> None:
    rows = await scores(client)
    for band in ("low", "moderate", "high", "severe", "extreme"):
        assert await scores(client, band=band) == [row for row in rows if row["band"] == band]


async def test_a_line_of_the_list_says_what_the_account_says(client: AsyncClient) -> None:
    """The list and the single score are one computation."""
    for row in (await scores(client))[::7]:
        told = (await client.get(f"/v1/minerals/{row['mineral']}/score", params={"buyer": "USA", **DAY})).json()
        binding = next((stage for stage in told["stages"] if stage["stage"] == told["binding_stage"]), None)
        for name in ("mineral", "status", "score", "band", "binding_stage", "flags"):
            assert row[name] == told[name]
        assert row["top_country"] == (binding and binding["concentration"]["top_country"])
        assert row["reference_year"] == (binding and binding["reference_year"])


async def test_minerals_narrow_by_list_and_group(client: AsyncClient) -> None:
    rare = (await client.get("/v1/minerals", params={"group": "rare earths", "list": "us-2025", **DAY})).json()["items"]
    assert {"neodymium", "dysprosium", "yttrium"} <= {item["id"] for item in rare}
    assert all(item["group"] == "rare earths" and "us-2025" in item["lists"] for item in rare)


async def test_a_list_nobody_was_on_yet_is_empty(client: AsyncClient) -> None:
    """Lists are dated: on a day before it was published nothing stood on it."""
    told = (await client.get("/v1/minerals?list=us-2025&as_of=2020-01-01")).json()
    assert (told["total"], told["items"], told["next"]) == (0, [], None)
    empty = await client.get("/v1/minerals?list=us-2025&as_of=2020-01-01&format=csv")
    assert (empty.status_code, empty.text) == (200, "id,name_en,name_de,symbol,group,stages,lists\r\n")
