"""Imports into a real ledger: all of a file or nothing of it, once, and every problem told."""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from asyncpg import Connection, Record

from service.importing import NotPossible, Outcome, Request, import_file, retract
from service.importing.model import MOST_COUNTED, MOST_LISTED
from service.intake.problems import Problem
from service.store import reading
from service.store.ledger import LedgerError, revise
from service.world.rows import Governance, Membership, Row, Share
from service.world.scoring import score_all
from service.world.world import build

from .conftest import published

if TYPE_CHECKING:
    Ledger = Connection[Record]

HEADER = "source,mineral,stage,period_start,period_end,country,share,printed"
LINE = "usgs-mcs-2026,gallium,processing,2024,2024,{},{},{}"
SHARES = "\n".join([HEADER, LINE.format("CHN", 0.9, "90%"), LINE.format("CAN", 0.05, "5%"), ""])


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes a file and gives its path."""

    def written(content: str | bytes, name: str = "file.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return written


async def bring(ledger: Ledger, path: Path, format_id: str = "form:share", **more: Any) -> Outcome:
    request = {"format": format_id, "path": path, "name": path.name, "author": "an analyst"} | more
    return await import_file(ledger, Request(**request))


async def problems(ledger: Ledger, path: Path, format_id: str = "form:share", **more: Any) -> list[Problem]:
    """The problems of a file, which must have changed nothing."""
    before = await reading.head_id(ledger)
    outcome = await bring(ledger, path, format_id, **more)
    assert outcome.revision is None
    assert await reading.head_id(ledger) == before
    assert await ledger.fetchval("select count(*) from share where revision > $1", before) == 0
    return outcome.findings.problems


async def standing(ledger: Ledger, source: str) -> set[Share]:
    return {row for row in await reading.standing(ledger, Share, await reading.head_id(ledger)) if row.source == source}


async def score(ledger: Ledger, known_at: int, mineral: str) -> float:
    """The unrounded score of a mineral for the United States early in 2026, as the ledger knew it at a revision."""
    revision = await reading.revision(ledger, known_at)
    assert revision is not None
    world = build(await reading.evidence(ledger, revision))
    return float(score_all(world, "USA", date(2026, 2, 5)).scores.score[world.mineral_index[mineral]])


# --- one file, one revision ---


async def test_an_import_is_one_revision_that_names_its_file(ledger: Ledger, write: Callable[..., Path]) -> None:
    """Who, why and from which bytes; all rows belong to it."""
    outcome = await bring(ledger, write(SHARES, "gallium.csv"), reason="a first picture")
    assert outcome.revision == await reading.head(ledger)
    revision = outcome.revision
    assert revision is not None
    assert (revision.id, revision.author, revision.reason) == (2, "an analyst", "a first picture")
    assert revision.file is not None
    assert revision.file.name == "gallium.csv"
    assert (revision.rows, outcome.added, outcome.changed) == ({"share": 2}, {"share": 2}, {"share": 0})


async def test_the_same_file_twice_makes_no_second_revision(ledger: Ledger, write: Callable[..., Path]) -> None:
    """Not compressed either, nor with its lines in another order or given twice."""
    await bring(ledger, write(SHARES))
    header, *lines, _ = SHARES.split("\n")
    for again in (SHARES, gzip.compress(SHARES.encode()), "\n".join([header, *reversed(lines), *lines, ""])):
        outcome = await bring(ledger, write(again))
        assert (outcome.revision, outcome.findings.count) == (None, 0)
    assert await reading.head_id(ledger) == 2


async def test_a_corrected_file_changes_only_what_it_corrects(ledger: Ledger, write: Callable[..., Path]) -> None:
    """One row changed, one added, one as it was."""
    await bring(ledger, write(SHARES))
    corrected = SHARES.replace("0.9,90%", "0.8,80%") + LINE.format("JPN", 0.01, "1%") + "\n"
    outcome = await bring(ledger, write(corrected))
    assert (outcome.added, outcome.changed) == ({"share": 1}, {"share": 1})


async def test_a_ledger_filled_by_another_order_of_imports_has_the_same_version(
    ledger: Ledger, write: Callable[..., Path]
) -> None:
    """`data_version` is what stands, however it came about."""
    lead = SHARES.replace("gallium", "lead")
    await bring(ledger, write(SHARES))
    first = await bring(ledger, write(lead))
    for number in (3, 2):
        await retract(ledger, number, author="an analyst", reason="once more")
    assert await standing(ledger, "usgs-mcs-2026") == set()
    await bring(ledger, write(lead))
    second = await bring(ledger, write(SHARES))
    assert first.revision is not None
    assert second.revision is not None
    assert (first.revision.id, second.revision.id) == (3, 7)
    assert first.revision.data_version == second.revision.data_version


async def test_a_dry_run_changes_nothing_and_tells_what_would_be(
    ledger: Ledger, shipped: list[Row], write: Callable[..., Path]
) -> None:
    """The revision it shows is the one that the import then writes, and the scores move as it said."""
    async with revise(ledger, author="test", reason="governance") as draft:
        await draft.observe(row for row in shipped if isinstance(row, Governance | Membership))
    await bring(ledger, write(SHARES.replace("0.9,90%", "0.7,70%")))
    path = write(SHARES)
    shown = await bring(ledger, path, dry_run=True, buyers=("USA", "EU"))
    assert await reading.head_id(ledger) == 3
    assert shown.revision is not None
    assert (shown.revision.id, shown.changed) == (4, {"share": 1})
    assert [(moved.mineral, moved.buyer) for moved in shown.moved] == [("gallium", "USA"), ("gallium", "EU")]
    written = await bring(ledger, path)
    assert written.revision is not None
    assert written.revision.data_version == shown.revision.data_version
    assert (await score(ledger, 3, "gallium"), await score(ledger, 4, "gallium")) == pytest.approx(
        (shown.moved[0].before, shown.moved[0].after), abs=1e-9
    )


async def test_other_writers_wait_for_the_writing_not_for_the_reading(ledger_dsn: str) -> None:
    """While one import is still reading its file, another writer writes."""
    slow, quick = await asyncpg.connect(ledger_dsn), await asyncpg.connect(ledger_dsn)
    async with revise(slow, author="slow", reason="a long file") as draft:
        await draft.stage("share", [])
        async with asyncio.timeout(5), revise(quick, author="quick", reason="a short one") as other:
            await other.observe([_source("meanwhile")])
        assert other.revision is not None
        await draft.observe([_source("afterwards")])
    assert draft.revision is not None
    assert (other.revision.id, draft.revision.id) == (2, 3)
    await slow.close()
    await quick.close()


def _source(name: str) -> Row:
    from tests.evidence import source

    return source(name)


# --- published files ---

HEADER_2026 = (
    "MCS chapter,Section,Commodity,Country,Statistics,Statistics_detail,Unit,Year,Value,Notes,"
    "Is critical mineral 2025,Other notes"
)
GALLIUM_2026 = (
    "GALLIUM,World Low-Purity Production and Production Capacity,Gallium,{},Production,{},kilograms,{},{},,Yes,"
)
GALLIUM_2025 = "MCS2025,Gallium,{},Primary production,kilograms,{},{},,,,,,"
HEADER_2025 = (
    "SOURCE,COMMODITY,COUNTRY,TYPE,UNIT_MEAS,PROD_2023,PROD_EST_ 2024,PROD_NOTES,CAP_2023,CAP_EST_ 2024,CAP_NOTES,"
    "RESERVES_2024,RESERVE_NOTES"
)


def excerpt_2026(year: int = 2025) -> bytes:
    rows = [("China", "Primary production", '"900,000"'), ("Japan", "Primary production", '"3,000"')]
    rows.append(("World total", "Primary production: rounded", '"900,000"'))
    lines = [GALLIUM_2026.format(country, detail, year, value) for country, detail, value in rows]
    return "\r\n".join([HEADER_2026, *lines, ""]).encode("cp1252")


def excerpt_2025() -> bytes:
    rows = [("China", "600000", "750000"), ("Japan", "3000", "3000"), ("World total (rounded)", "610000", "760000")]
    return "\r\n".join([HEADER_2025, *(GALLIUM_2025.format(*row) for row in rows), ""]).encode("utf-8-sig")


async def test_the_edition_is_told_by_the_file_and_decides_the_source(
    ledger: Ledger, write: Callable[..., Path]
) -> None:
    """Each edition in its own encoding and layout, under its own source; the amounts are those of the book."""
    await bring(ledger, write(excerpt_2025()), "usgs-mcs")
    await bring(ledger, write(excerpt_2026()), "usgs-mcs")
    older, newer = await standing(ledger, "usgs-mcs-2025"), await standing(ledger, "usgs-mcs-2026")
    assert {(row.country, row.period_end, row.printed) for row in older} == {
        ("CHN", 2023, "600000"),
        ("CHN", 2024, "750000"),
        ("JPN", 2023, "3000"),
        ("JPN", 2024, "3000"),
    }
    assert {(row.country, row.period_end, row.printed) for row in newer} == {
        ("CHN", 2025, "900,000"),
        ("JPN", 2025, "3,000"),
    }


async def test_a_newer_edition_in_the_same_layout_has_to_be_named(ledger: Ledger, write: Callable[..., Path]) -> None:
    """The edition of 2026 cannot speak of 2026: its rows would silently take the place of the older edition's."""
    found = await problems(ledger, write(excerpt_2026(2026)), "usgs-mcs")
    assert {(problem.value, problem.expected) for problem in found} == {
        ("2026", "a year to 2025, or a newer edition to be named")
    }
    with pytest.raises(NotPossible, match="no source 'usgs-mcs-2027'"):
        await bring(ledger, write(excerpt_2026(2026)), "usgs-mcs", edition="2027")


async def test_the_published_editions_give_the_seeds_and_two_stable_answers(ledger: Ledger, shipped: list[Row]) -> None:
    """The file of 2026 gives exactly the shipped shares; known before and after it, a score has two answers."""
    edition_2025 = published("usgs_mcs2025", "MCS2025_World_Data.csv")
    edition_2026 = published("usgs_mcs2026", "MCS2026_Commodities_Data.csv")
    async with revise(ledger, author="test", reason="governance") as draft:
        await draft.observe(row for row in shipped if isinstance(row, Governance | Membership))
    before = await bring(ledger, edition_2025, "usgs-mcs")
    answers = [await score(ledger, 3, "gallium"), await score(ledger, 3, "cobalt")]
    after = await bring(ledger, edition_2026, "usgs-mcs")
    assert before.revision is not None
    assert after.revision is not None
    assert (before.revision.rows, after.revision.rows) == (
        {"share": 1377, "reserve": 546},
        {"share": 1468, "reserve": 557, "sourcing": 260, "reliance": 336},
    )
    assert await standing(ledger, "usgs-mcs-2026") == {
        row for row in shipped if isinstance(row, Share) and row.source == "usgs-mcs-2026"
    }
    later = [await score(ledger, 4, "gallium"), await score(ledger, 4, "cobalt")]
    assert all(old != new for old, new in zip(answers, later, strict=True))
    assert [await score(ledger, 3, "gallium"), await score(ledger, 3, "cobalt")] == answers
    assert (await bring(ledger, edition_2026, "usgs-mcs")).revision is None


async def test_the_published_governance_release_gives_the_seeds(ledger: Ledger, shipped: list[Row]) -> None:
    """13,899 rows; the six lines of the former Netherlands Antilles are passed over and said so."""
    outcome = await bring(ledger, published("wgi2024", "wgi_2013_2023_long.csv"), "wgi", edition="2024")
    assert outcome.findings.skipped == {"ANT has ceased to exist": 6}
    found = await reading.standing(ledger, Governance, 2)
    assert set(found) == {row for row in shipped if isinstance(row, Governance)}


# --- spoiled files ---


async def test_a_file_with_many_problems_lists_them_all(ledger: Ledger, write: Callable[..., Path]) -> None:
    """Up to a thousand, and counts the others; beyond ten thousand it is read no further."""
    many = "\n".join([HEADER, *(LINE.format("CHN", share, "x") for share in range(2, 2002)), ""])
    outcome = await bring(ledger, write(many))
    assert (outcome.findings.count, len(outcome.findings.problems), outcome.findings.ended) == (
        2000,
        MOST_LISTED,
        False,
    )
    endless = "\n".join([HEADER, *(LINE.format("CHN", share, "x") for share in range(2, 20_002)), ""])
    outcome = await bring(ledger, write(endless))
    assert (outcome.findings.count, outcome.findings.ended) == (MOST_COUNTED, True)


@pytest.mark.parametrize(
    ("content", "line", "column", "expected"),
    [
        (b"", 1, "", "CSV text"),
        (HEADER.encode() + b"\n", 1, "", "a row of evidence at least"),
        (b"\x7fELF" + bytes(range(256)) * 40, 1, "", "text in the encoding"),
        (SHARES.encode("utf-16"), 1, "", "text in the encoding"),
        (SHARES.replace("90%", "ungefähr 90%").encode("latin-1"), 2, "", "text in the encoding"),
        (SHARES.replace("gallium,processing,2024", "gallium,2024", 1).encode(), 2, "", "8 columns"),
        (SHARES.replace("0.9,90%", "90%,0.9", 1).encode(), 2, "share", "a number from 0 to 1"),
        (SHARES.replace("0.9,90%", "2.81,281%", 1).encode(), 2, "share", "a number from 0 to 1"),
        (SHARES.replace("0.9,90%", "NaN,NaN", 1).encode(), 2, "share", "a number from 0 to 1"),
        (SHARES.replace("0.05,5%", "0.9,90%", 1).encode(), 2, "", "no shares of one whole that add up to more"),
        (SHARES.replace("CAN", "ATL").encode(), 3, "country", "a known country; closest known: "),
        (SHARES.replace("gallium", "galium").encode(), 2, "mineral", "a known mineral; closest known: gallium"),
        (SHARES.replace("usgs-mcs-2026", "usgs-2026").encode(), 2, "source", "a known source; closest known: "),
        (SHARES.replace("CAN", "CHN").encode(), 2, "", "no two different rows of share for the same key"),
        (SHARES.replace("2024,2024", "2024,2023").encode(), 2, "", "share_period_in_order"),
        (HEADER.encode() + b"\n" + b"x," * 10_000_000, 2, "", "lines of at most"),
        (gzip.compress(SHARES.encode())[:-10], 1, "", "a whole gzip file"),
        (b"PK\x03\x04" + bytes(100), 1, "", "compressed with gzip"),
    ],
    ids=[
        "empty",
        "no rows",
        "binary",
        "another encoding",
        "a stray encoding",
        "a column missing",
        "shifted columns",
        "281 percent",
        "not a number",
        "more than the whole",
        "unknown country",
        "unknown mineral",
        "unknown source",
        "contradiction",
        "a period that ends before it begins",
        "ten million columns",
        "cut off",
        "an archive",
    ],
)
async def test_a_spoiled_file_gets_a_report_and_changes_nothing(
    ledger: Ledger, write: Callable[..., Path], content: bytes, line: int, column: str, expected: str
) -> None:
    """The first problem names the line, the column where there is one, and what was expected."""
    first, *_ = await problems(ledger, write(content))
    assert (first.line, first.column) == (line, column)
    assert expected in first.expected


PEAK = """
import pathlib, sys
from service.cli import main
try:
    main()
finally:
    print(pathlib.Path("/proc/self/status").read_text())
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the kernel does not tell the peak of a process")
@pytest.mark.parametrize("spoil", ["bomb", "columns", "unknown names"])
def test_memory_stays_bounded_whatever_comes(ledger_dsn: str, tmp_path: Path, spoil: str) -> None:
    """A bomb of 256 megabytes, a line of 200, 50,000 unknown names: the program needs what it always does."""
    path = tmp_path / "file.csv"
    with gzip.open(path, "wb") if spoil == "bomb" else path.open("wb") as file:
        file.write(f"{HEADER}\n".encode())
        for number in range(50_000 if spoil == "unknown names" else 256):
            file.write(
                {
                    "bomb": (b"x" * 1023 + b"\n") * 1024,
                    "columns": b"x," * 400_000,
                    "unknown names": f"usgs-mcs-2026,m{number},processing,2024,2024,CHN,0.1,x\n".encode(),
                }[spoil]
            )
    program = subprocess.run(
        [sys.executable, "-c", PEAK, "import", "form:share", str(path)],
        env={**os.environ, "CHOKEPOINT_DATABASE_URL": ledger_dsn},
        capture_output=True,
        text=True,
        check=False,
    )
    assert program.returncode == 1, program.stderr
    peak = re.search(r"VmHWM:\s+(\d+) kB", program.stdout)
    assert peak is not None
    assert int(peak[1]) < 120 * 1024


async def test_a_contradiction_names_every_line_it_is_on(ledger: Ledger, write: Callable[..., Path]) -> None:
    """Two shares for one country: somebody has to say which."""
    (found,) = await problems(ledger, write(SHARES + LINE.format("CHN", 0.02, "2%") + "\n"))
    assert (found.line, found.value) == (
        2,
        "usgs-mcs-2026, gallium, processing, 2024, 2024, CHN, also on line 4",
    )


async def test_rows_may_refer_to_rows_further_down_the_file(ledger: Ledger, write: Callable[..., Path]) -> None:
    """An agreement may name its successor before it comes; one that never comes is told with its line."""
    header = "id,source,title,type,binding,parties,scope,evidence_level,successor"
    first, second = (
        "a-1,iso-3166,A,memorandum,no,USA;PER,all,article,{}",
        "a-2,iso-3166,B,memorandum,no,USA;PER,all,article,",
    )
    outcome = await bring(ledger, write("\n".join([header, first.format("a-2"), second, ""])), "form:agreement")
    assert outcome.added == {"agreement": 2}
    (found,) = await problems(ledger, write("\n".join([header, first.format("a-3"), ""])), "form:agreement")
    assert (found.line, found.column, found.value) == (2, "successor", "a-3")


async def test_what_the_ledger_forgets_meanwhile_refuses_the_import(
    ledger: Ledger, ledger_dsn: str, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its source is taken back while the file is read: nothing is written, and the error says what is missing."""
    source = "id,title,publisher,retrieved,licence,evidence_level,precedence\nnew,N,P,2026,free,statistics,9\n"
    await bring(ledger, write(source), "form:source")
    other = await asyncpg.connect(ledger_dsn)

    def meanwhile(part: float) -> None:
        if part == 1:
            future = asyncio.run_coroutine_threadsafe(retract(other, 2, author="b", reason="r"), loop)
            future.result(5)

    loop = asyncio.get_running_loop()
    request = Request(format="form:share", path=write(SHARES.replace("usgs-mcs-2026", "new")), name="x", author="a")
    with pytest.raises(LedgerError, match="'new'"):
        await import_file(ledger, request, meanwhile)
    assert await reading.head_id(ledger) == 3
    await other.close()


# --- requests that cannot be begun ---


@pytest.mark.parametrize(
    ("more", "option", "text"),
    [
        ({"format_id": "form:shares"}, "format", "closest known: form:share"),
        ({"source": "usgs-mcs-2062"}, "source", "closest known: usgs-mcs-2026"),
        ({"edition": "2026"}, "edition", "a form has no editions"),
        ({"format_id": "wgi"}, "edition", "does not say which edition"),
        ({"format_id": "wgi", "edition": "latest"}, "edition", "a year is"),
        ({"format_id": "eu-supply-shares", "edition": "2026"}, "edition", "2023 only"),
        ({"corrections": {"Cathay": "CHX"}}, "map", "'Cathay' cannot mean 'CHX'"),
        ({"dry_run": True, "buyers": ("ATLANTIS",)}, "buyers", "'ATLANTIS'"),
    ],
)
async def test_a_request_that_cannot_be_begun_says_why(
    ledger: Ledger, write: Callable[..., Path], more: dict[str, Any], option: str, text: str
) -> None:
    with pytest.raises(NotPossible, match=text) as caught:
        await bring(ledger, write(SHARES), **more)
    assert caught.value.option == option


async def test_what_is_taken_back_can_be_brought_again(ledger: Ledger, write: Callable[..., Path]) -> None:
    """Taking back what is taken back changes nothing; a revision that never was is an error."""
    await bring(ledger, write(SHARES))
    taken = await retract(ledger, 2, author="an analyst", reason="wrong")
    assert taken is not None
    assert (taken.id, taken.retracts, taken.rows) == (3, 2, {"share": 2})
    assert await standing(ledger, "usgs-mcs-2026") == set()
    assert await retract(ledger, 2, author="an analyst", reason="wrong") is None
    assert (await bring(ledger, write(SHARES))).added == {"share": 2}
    with pytest.raises(LookupError, match="no revision 9"):
        await retract(ledger, 9, author="an analyst", reason="wrong")
