"""The feed of changes: nothing is left out, everything has its cause, and it agrees with a full pull."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from service.http import changes as module
from service.store.ledger import Draft, revise
from service.world.rows import Row
from tests.evidence import (
    agreement,
    bloc,
    country,
    governance,
    listing,
    membership,
    mineral,
    restriction,
    share,
    source,
)
from tests.serving import Service

DAY = "2026-02-05"
BEGINNING: list[Row] = [
    source(),
    *(country(code) for code in ("CHN", "PER", "USA", "JPN")),
    mineral("tin"),
    mineral("zinc"),
    bloc("FORGE"),
    *governance("CHN", -0.5),
    *governance("PER", 0.0),
    share("tin", "CHN", 0.6),
    share("tin", "PER", 0.3),
    share("zinc", "CHN", 0.5),
    share("zinc", "PER", 0.4),
]

Feed = list[dict[str, Any]]


async def pull(service: Service, since: int, **more: Any) -> Feed:
    """Every entry since a revision, page after page."""
    entries: Feed = []
    cursor: dict[str, str] = {}
    while True:
        page = await service.get("/v1/changes", since=since, as_of=DAY, **more, **cursor)
        entries += page["items"]
        if page["next"] is None:
            return entries
        cursor = {"cursor": page["next"]}


async def scores(service: Service, **more: Any) -> dict[str, Any]:
    """The list of scores by mineral: a full pull."""
    listed = await service.get("/v1/scores", buyer="USA", limit=1000, **({"as_of": DAY} | more))
    return {row["mineral"]: row for row in listed["items"]}


def applied(held: dict[Any, Any], entries: Feed, what: str = "score") -> dict[Any, Any]:
    """What somebody holds who applies a feed's entries, in order, to what they held."""
    held = dict(held)
    for entry in entries:
        if entry["what"] == what:
            key = entry["key"]["mineral"] if what == "score" else tuple(entry["key"].values())
            assert held.get(key) == entry["before"]
            held[key] = entry["after"]
    return {key: row for key, row in held.items() if row is not None}


async def causes(service: Service, since: int) -> tuple[list[list[str]], dict[str, list[str]]]:
    """The causes of the rows, in order, and of the moved scores by mineral, those that moved in rank only aside."""
    entries = [entry for entry in await pull(service, since, buyer="USA") if entry["causes"] != ["rank"]]
    rows = [entry["causes"] for entry in entries if entry["what"] != "score"]
    return rows, {entry["key"]["mineral"]: entry["causes"] for entry in entries if entry["what"] == "score"}


@pytest.mark.parametrize(
    ("rows", "told", "moved"),
    [
        ([share("tin", "CHN", 0.7)], ["correction"], {"tin": ["correction"]}),
        ([share("tin", "CHN", 0.9, period_start=2025, period_end=2025)], ["new_year"], {"tin": ["new_year"]}),
        (
            [source("b-source", precedence=1), share("zinc", "CHN", 0.9, source="b-source")],
            ["catalog", "new_source"],
            {"zinc": ["new_source"]},
        ),
        ([share("tin", "JPN", 0.1)], ["addition"], {"tin": ["correction"]}),
        (
            [agreement("pact", "PER", "USA", type="trade_agreement", binding="yes", in_force="2023-01-01")],
            ["agreement"],
            {"tin": ["agreement"], "zinc": ["agreement"]},
        ),
        ([restriction("ban", "CHN", "zinc")], ["restriction"], {"zinc": ["restriction"]}),
        (governance("PER", -2.0), ["governance"] * 6, {"tin": ["governance"], "zinc": ["governance"]}),
        ([mineral("tin", name_en="Tin, refined")], ["catalog"], {"tin": ["catalog"]}),
        ([mineral("lead")], ["catalog"], {"lead": ["catalog"]}),
        ([agreement("note", "JPN", "CHN")], ["agreement"], {}),
    ],
)
async def test_every_entry_has_its_cause(
    bare: Service, rows: list[Row], told: list[str], moved: dict[str, list[str]]
) -> None:
    await bare.write(BEGINNING)
    await bare.write(rows)
    assert await causes(bare, 1) == ([[cause] for cause in told], moved)


async def test_members_and_lists_change_ties(bare: Service) -> None:
    """Who belongs to a bloc, and what counts as critical, decide whom an agreement reaches and for what."""
    pact = {"type": "trade_agreement", "binding": "yes", "in_force": "2023-01-01"}
    await bare.write([*BEGINNING, agreement("pact", "FORGE", "USA", **pact, scope="critical")])
    await bare.write([listing("us-2026", "USA", "tin")])
    assert await causes(bare, 1) == ([["listing"]], {})
    await bare.write([membership("FORGE", "CHN")])
    assert await causes(bare, 2) == ([["membership"]], {"tin": ["membership"]})
    await bare.write([listing("us-2026", "USA", "zinc")])
    assert await causes(bare, 3) == ([["listing"]], {"zinc": ["listing"]})


async def test_what_is_withdrawn_is_told_as_a_retraction(bare: Service) -> None:
    await bare.write(BEGINNING)
    await bare.write([share("tin", "CHN", 0.9, period_start=2025, period_end=2025)])
    await bare.write(retract=[share("tin", "CHN", 0.9, period_start=2025, period_end=2025)])
    (row, score) = await pull(bare, 2, buyer="USA")
    assert (row["causes"], row["after"], row["before"]["share"]) == (["retraction"], None, 0.9)
    assert score["causes"] == ["retraction"]


async def test_a_revision_that_takes_back_another_is_told_as_a_retraction(bare: Service) -> None:
    """The rows that stood before come back, and still the cause is that the newer ones were withdrawn."""
    await bare.write(BEGINNING)
    await bare.write([share("tin", "CHN", 0.1)])
    await written(bare, lambda draft: draft.retract_revision(2))
    row, *scores = await pull(bare, 2, buyer="USA", known_at=3)
    assert (row["causes"], row["before"]["share"], row["after"]["share"]) == (["retraction"], 0.1, 0.6)
    assert "tin" in {score["key"]["mineral"] for score in scores}
    assert all(score["causes"] == ["retraction"] for score in scores)


async def written(service: Service, work: Any) -> None:
    """Writes a revision and waits until it is served."""
    connection = await asyncpg.connect(service.dsn)
    draft: Draft
    async with revise(connection, author="test", reason="a test") as draft:
        await work(draft)
    await connection.close()
    await service.write([source(f"marker-{draft.number}")])


async def test_a_score_that_moved_in_rank_only_says_so(bare: Service) -> None:
    """Its own figures are what they were; another mineral's score passed it."""
    await bare.write(BEGINNING)
    await bare.write([share("zinc", "CHN", 0.9)])
    told = {entry["key"]["mineral"]: entry for entry in await pull(bare, 1, buyer="USA") if entry["what"] == "score"}
    assert (told["tin"]["causes"], told["zinc"]["causes"]) == (["rank"], ["correction"])
    assert (told["tin"]["before"]["rank"], told["tin"]["after"]["rank"]) == (1, 2)


async def test_entries_come_in_the_order_of_revision_and_place(bare: Service) -> None:
    await bare.write(BEGINNING)
    await bare.write([share("tin", "CHN", 0.7), restriction("ban", "PER", "tin")])
    await bare.write([share("tin", "CHN", 0.8)])
    entries = await pull(bare, 0, buyer="USA")
    order = [(entry["revision"], entry["place"]) for entry in entries]
    assert order == sorted(order)
    by_revision = [[place for revision, place in order if revision == number] for number in (1, 2, 3)]
    assert by_revision == [list(range(1, len(places) + 1)) for places in by_revision]
    kinds = [entry["what"] for entry in entries if entry["revision"] == 2]
    assert kinds == ["share", "restriction", "score"]


@pytest.mark.parametrize("limit", [1, 2, 7])
async def test_pages_of_any_size_are_the_same_feed(bare: Service, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    await bare.write(BEGINNING)
    for place in range(1, 7):
        await bare.write([share("tin", "CHN", place / 10), share("zinc", "PER", place / 20)])
    whole = await pull(bare, 0, buyer="USA", limit=1000)
    monkeypatch.setattr(module, "STEPS", 1)
    assert await pull(bare, 0, buyer="USA", limit=limit) == whole


async def test_a_page_looks_at_a_bounded_number_of_revisions(bare: Service) -> None:
    """Each needs an older World; the cursor goes on where the page stopped."""
    await bare.write(BEGINNING)
    for place in range(1, 8):
        await bare.write([share("tin", "CHN", place / 10)])
    page = await bare.get("/v1/changes", since=1, buyer="USA", as_of=DAY, limit=1000)
    scores_told = {entry["revision"] for entry in page["items"] if entry["what"] == "score"}
    assert len(scores_told) == module.STEPS
    assert page["next"] is not None
    without_scores = await bare.get("/v1/changes", since=1, as_of=DAY, limit=1000)
    assert (len(without_scores["items"]), without_scores["next"]) == (7, None)


async def test_a_full_pull_and_the_entries_since_give_the_next_full_pull(bare: Service) -> None:
    """From every revision to every later one, for scores and for shares."""
    steps: list[list[Row]] = [
        BEGINNING,
        [share("tin", "CHN", 0.7), mineral("lead"), share("lead", "PER", 0.9)],
        [restriction("ban", "CHN", "tin", valid_from="2027-01-01")],
        [agreement("pact", "PER", "USA"), share("zinc", "JPN", 0.05)],
        [*governance("CHN", -1.5, year=2024)],
        [restriction("ban", "CHN", "tin", valid_from="2025-01-01")],
    ]
    for rows in steps:
        await bare.write(rows)
    await bare.write(retract=[share("lead", "PER", 0.9)])
    head = len(steps) + 1
    for since in range(head + 1):
        held = await scores(bare, known_at=since) if since else {}
        for until in range(max(1, since), head + 1):
            entries = await pull(bare, since, buyer="USA", known_at=until, limit=3)
            assert applied(held, entries) == await scores(bare, known_at=until)
    shares = applied({}, await pull(bare, 0), "share")
    assert len(shares) == 5


async def test_what_the_day_moved_comes_first_if_asked_for(bare: Service) -> None:
    """So that a feed asked for day after day still adds up."""
    await bare.write([*BEGINNING, restriction("ban", "CHN", "tin", valid_from="2026-01-15")])
    await bare.write([share("tin", "PER", 0.2)])
    held = await scores(bare, known_at=1, as_of="2026-01-01")
    entries = await pull(bare, 1, buyer="USA", since_day="2026-01-01")
    assert [(e["revision"], e["what"], e["causes"]) for e in entries] == [
        (1, "score", ["day"]),
        (2, "share", ["correction"]),
        (2, "score", ["correction"]),
    ]
    assert applied(held, entries) == await scores(bare)


async def test_scores_of_another_version_of_the_method_are_all_told_anew(bare: Service) -> None:
    await bare.write(BEGINNING)
    entries = await pull(bare, 1, buyer="USA", since_version=99)
    assert {entry["key"]["mineral"]: entry["causes"] for entry in entries} == {"tin": ["method"], "zinc": ["method"]}
    assert {entry["key"]["mineral"]: entry["after"] for entry in entries} == await scores(bare)
    assert await pull(bare, 1, buyer="USA", since_version=1) == []


async def test_a_feed_asked_for_twice_has_the_same_bytes(bare: Service) -> None:
    await bare.write(BEGINNING)
    await bare.write([share("tin", "CHN", 0.7)])
    path = f"/v1/changes?since=0&buyer=USA&as_of={DAY}&known_at=2"
    first = await bare.client.get(path)
    await bare.write([share("tin", "CHN", 0.8)])
    second = await bare.client.get(path)
    assert (first.content, first.headers["etag"]) == (second.content, second.headers["etag"])
    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("", 400),
        ("since=-1", 400),
        ("since=3", 404),
        ("since=0&buyer=ATLANTIS", 404),
        ("since=2&cursor=MS4x", 404),
        ("since=0&cursor=nonsense", 404),
        ("since=0&since_day=tomorrow", 400),
    ],
)
async def test_a_request_that_makes_no_sense_is_refused(bare: Service, query: str, status: int) -> None:
    await bare.write(BEGINNING)
    await bare.write([share("tin", "CHN", 0.7)])
    answer = await bare.client.get(f"/v1/changes?{query}")
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_at_the_head_there_is_nothing_to_tell(bare: Service) -> None:
    await bare.write(BEGINNING)
    page = await bare.get("/v1/changes", since=1, buyer="USA")
    assert (page["items"], page["next"], page["known_at"]) == ([], None, 1)
