"""Nothing that was ever answered changes: whatever is written later, the same question gets the same bytes.

A random sequence of commits to a real Postgres: shares observed, corrected and withdrawn, agreements signed, brought
into force, suspended and terminated, restrictions imposed and lifted, members and lists changed, whole revisions taken
back. After each of them answers are recorded; at the end every answer ever given is asked for once more.

CHOKEPOINT_REPLAY_COMMITS=400 makes one long run of it.
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any, TypeVar

import asyncpg
import msgspec
import pytest
from httpx import AsyncClient
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from service.answers.catalog import agreement_item, restriction_item
from service.answers.explain import explain
from service.answers.score import Account
from service.app import create_app
from service.settings import Settings
from service.store import reading
from service.store.ledger import Draft, LedgerError, revise
from service.world.rows import Row
from service.world.world import World, build
from tests.evidence import (
    agreement,
    bloc,
    country,
    governance,
    listing,
    membership,
    mineral,
    provision,
    restriction,
    share,
    source,
)
from tests.serving import asking

COMMITS = int(os.environ.get("CHOKEPOINT_REPLAY_COMMITS", "0"))
HTTP_SAMPLE = 60
"""Recorded answers that are asked for over HTTP too, at most."""

COUNTRIES = ("CHN", "COD", "PER", "USA", "JPN")
MINERALS = ("cobalt", "tin", "rare-earths", "neodymium")
BUYERS = ("USA", "JPN", "CLUB", "PER")
SOURCES = ("a-source", "b-source")
AGREEMENTS = ("first", "second", "third")
RESTRICTIONS = ("ban-1", "ban-2")
DAYS = tuple(f"{year}-{month:02}-15" for year in range(2020, 2027) for month in (2, 8))

Answer = tuple[int, date, str, str]
"""A question: revision, day, what is asked for, and of whom."""
T = TypeVar("T")

days = st.sampled_from(DAYS)
parts = st.integers(0, 60).map(lambda percent: percent / 100)


def beginning() -> list[Row]:
    return [
        *(source(name, precedence=100 + place, published="2020-01-01") for place, name in enumerate(SOURCES)),
        *(country(code) for code in COUNTRIES),
        *(mineral(name, stages=("extraction", "processing")) for name in MINERALS if name != "rare-earths"),
        mineral("rare-earths", members=("neodymium",)),
        bloc("CLUB"),
        membership("CLUB", "USA"),
        *(row for place, code in enumerate(COUNTRIES) for row in governance(code, place - 2, year=2020)),
        share("cobalt", "CHN", 0.7),
        share("cobalt", "COD", 0.2),
    ]


class Ledger:
    """A ledger of its own on a real Postgres, and every answer it ever gave."""

    def __init__(self, server: Any, template: str) -> None:
        self._server = server
        self._runner = asyncio.Runner()
        self._name = f"replay_{next(server.numbers)}"
        self.run(self._administer(f"create database {self._name} template {template}"))
        self._dsn = server.database(self._name)
        self._connection = self.run(asyncpg.connect(self._dsn))
        self.given: dict[Answer, bytes] = {}
        self.head = 0

    def close(self) -> None:
        self.run(self._connection.close())
        self.run(self._administer(f"drop database {self._name} with (force)"))
        self._runner.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    async def _administer(self, statement: str) -> None:
        connection = await asyncpg.connect(self._server.dsn)
        await connection.execute(statement)
        await connection.close()

    def commit(self, *rows: Row, retract: tuple[Row, ...] = (), undo: int | None = None) -> None:
        """Writes a revision. One that would leave rows naming something unknown is refused, and changes nothing."""

        async def write() -> Draft:
            async with revise(self._connection, author="somebody", reason="something") as draft:
                await draft.observe(rows)
                await draft.retract(retract)
                if undo is not None:
                    await draft.retract_revision(undo)
            return draft

        try:
            revision = self.run(write()).revision
        except LedgerError:
            return
        self.head = revision.id if revision else self.head

    def newest(self) -> World:
        """The newest World, built from the ledger."""
        return self.run(self._world(self.head))

    async def _world(self, revision: int) -> World:
        found = await reading.revision(self._connection, revision)
        assert found is not None
        return build(await reading.evidence(self._connection, found))

    def ask(self) -> None:
        """Asks the newest revision a few questions, of days and buyers that depend on it, and records the answers."""
        world = self.newest()
        for place in range(2):
            day = date.fromisoformat(DAYS[(self.head * 5 + place * 3) % len(DAYS)])
            for question, answer in answers(world, day, BUYERS[(self.head + place) % len(BUYERS)]):
                known = self.given.setdefault((self.head, day, *question), answer)
                assert known == answer

    def replay(self, figures: Counter[str]) -> None:
        """Asks everything once more, of Worlds built anew and over HTTP, and adds up what changed."""
        self.run(self._replay())
        self.run(self._over_http(figures))
        figures["commits"] += self.head
        figures["answers"] += len(self.given)

    async def _replay(self) -> None:
        asked: dict[int, set[tuple[date, str]]] = {}
        for revision, day, _, buyer in self.given:
            asked.setdefault(revision, set()).add((day, buyer))
        for revision, questions in asked.items():
            world = await self._world(revision)
            for day, buyer in questions:
                for question, answer in answers(world, day, buyer):
                    assert self.given[(revision, day, *question)] == answer, (revision, day, question)

    async def _over_http(self, figures: Counter[str]) -> None:
        app = create_app(Settings(database_url=self._dsn))
        over_http = [question for question in self.given if question[2].startswith("/")]
        chosen = over_http[:: max(1, len(over_http) // HTTP_SAMPLE)]
        async with asking(app) as client:
            for revision, day, path, buyer in chosen:
                view = {"buyer": buyer, "as_of": day.isoformat(), "known_at": str(revision)}
                answer = await client.get(path, params=view)
                assert answer.content == self.given[revision, day, path, buyer], (revision, day, path, buyer)
                assert "immutable" in answer.headers["cache-control"]
            figures["changes added up"] += await self._add_up(client)
        figures["answers over HTTP"] += len(chosen)

    async def _add_up(self, client: AsyncClient) -> int:
        """A full pull early on and all changes since give the full pull at the head; the value is how many changes."""
        since, day = max(1, self.head // 4), "2026-02-05"
        held = await self._pull(client, since, day)
        cursor: dict[str, str] = {}
        told = 0
        while True:
            view = {"since": str(since), "buyer": "USA", "as_of": day, "known_at": str(self.head), "limit": "50"}
            page = (await client.get("/v1/changes", params=view | cursor)).json()
            told += len(page["items"])
            for entry in (entry for entry in page["items"] if entry["what"] == "score"):
                assert held.pop(entry["key"]["mineral"], None) == entry["before"]
                held |= {entry["key"]["mineral"]: entry["after"]} if entry["after"] else {}
            if page["next"] is None:
                assert held == await self._pull(client, self.head, day)
                return told
            cursor = {"cursor": page["next"]}

    async def _pull(self, client: AsyncClient, revision: int, day: str) -> dict[str, Any]:
        view = {"buyer": "USA", "as_of": day, "known_at": str(revision), "limit": "1000"}
        return {row["mineral"]: row for row in (await client.get("/v1/scores", params=view)).json()["items"]}


class Commits(RuleBasedStateMachine):
    """Random commits to the ledger that `open` gives; `close` is called with it when they are over."""

    open: Callable[[], Ledger]
    close: Callable[[Ledger], None]

    def __init__(self) -> None:
        super().__init__()
        self.ledger = type(self).open()
        self.commit = self.ledger.commit

    def teardown(self) -> None:
        """What follows the last commit."""
        type(self).close(self.ledger)

    @invariant()
    def ask(self) -> None:
        """After every commit questions are asked."""
        if self.ledger.head:
            self.ledger.ask()

    @initialize()
    def begin(self) -> None:
        self.commit(*beginning())

    @rule(
        name=st.sampled_from(MINERALS),
        stage=st.sampled_from(("extraction", "processing")),
        year=st.integers(2019, 2025),
        by=st.sampled_from(SOURCES),
        printed=st.dictionaries(st.sampled_from(COUNTRIES), parts | st.none(), min_size=1, max_size=3),
    )
    def observe(self, name: str, stage: str, year: int, by: str, printed: dict[str, float | None]) -> None:
        told = {"stage": stage, "period_start": year, "period_end": year, "source": by}
        self.commit(*(share(name, code, part, **told) for code, part in printed.items()))

    @rule(code=st.sampled_from(COUNTRIES), part=parts, note=st.text("xyz", max_size=2))
    def correct(self, code: str, part: float, note: str) -> None:
        self.commit(share("cobalt", code, part, note=note))

    @rule(name=st.sampled_from(MINERALS), code=st.sampled_from(COUNTRIES))
    def withdraw(self, name: str, code: str) -> None:
        self.commit(retract=(share(name, code, None),))

    @rule(code=st.sampled_from(COUNTRIES), estimate=st.floats(-2, 2), year=st.integers(2020, 2024))
    def govern(self, code: str, estimate: float, year: int) -> None:
        self.commit(*governance(code, estimate, year=year))

    @rule(
        name=st.sampled_from(AGREEMENTS),
        parties=st.lists(st.sampled_from((*COUNTRIES, "CLUB")), min_size=2, max_size=3, unique=True),
        kind=st.sampled_from(("memorandum", "framework", "forum", "trade_agreement", "relief")),
        binding=st.sampled_from(("yes", "no", "not_stated")),
        scope=st.sampled_from(("all", "critical", "named")),
        signed=days | st.none(),
    )
    def sign(self, name: str, parties: list[str], kind: str, binding: str, scope: str, signed: str | None) -> None:
        told = {"type": kind, "binding": binding, "scope": scope, "signed": signed}
        self.commit(agreement(name, *parties, **told, minerals=("rare-earths",) if scope == "named" else ()))

    @rule(
        name=st.sampled_from(AGREEMENTS), event=st.sampled_from(("in_force", "suspended", "resumed", "ended")), day=days
    )
    def change(self, name: str, event: str, day: str) -> None:
        standing = self.ledger.newest().agreements.get(name)
        if standing is not None:
            self.commit(msgspec.structs.replace(standing, **{event: day}))

    @rule(name=st.sampled_from(AGREEMENTS), forbids=st.sampled_from(((), ("ban",), ("tax",))))
    def promise(self, name: str, forbids: tuple[str, ...]) -> None:
        self.commit(provision(name, forbids=forbids))

    @rule(
        name=st.sampled_from(RESTRICTIONS),
        code=st.sampled_from(COUNTRIES),
        of=st.sampled_from(MINERALS),
        kind=st.sampled_from(("ban", "tax", "licence")),
        since=days,
        until=days | st.none(),
        aim=st.sampled_from(((), ("USA",), ("CLUB",))),
    )
    def restrict(
        self, name: str, code: str, of: str, kind: str, since: str, until: str | None, aim: tuple[str, ...]
    ) -> None:
        self.commit(restriction(name, code, of, type=kind, valid_from=since, valid_to=until, targets=aim))

    @rule(name=st.sampled_from(RESTRICTIONS))
    def lift(self, name: str) -> None:
        self.commit(retract=(restriction(name, "CHN", "tin"),))

    @rule(code=st.sampled_from(COUNTRIES), since=days, until=days | st.none())
    def join(self, code: str, since: str, until: str | None) -> None:
        self.commit(membership("CLUB", code, since, valid_to=until))

    @rule(owner=st.sampled_from(("USA", "CLUB")), name=st.sampled_from(MINERALS), since=days)
    def enlist(self, owner: str, name: str, since: str) -> None:
        self.commit(listing(f"{owner.lower()}-list", owner, name, valid_from=since))

    @rule(name=st.sampled_from(SOURCES), precedence=st.integers(1, 9), retrieved=days)
    def reprint(self, name: str, precedence: int, retrieved: str) -> None:
        self.commit(source(name, precedence=precedence, retrieved=retrieved, published="2020-01-01"))

    @rule(data=st.data())
    def take_back(self, data: st.DataObject) -> None:
        if self.ledger.head > 1:  # the first one holds the countries there are
            self.commit(undo=data.draw(st.integers(2, self.ledger.head)))


def answers(world: World, day: date, buyer: str) -> Iterator[tuple[tuple[str, str], bytes]]:
    """What a World answers to a buyer on a day, by the path it is asked for under or the name it goes by."""
    account = Account.of(world, buyer, day)
    for name in world.minerals:
        yield (f"/v1/minerals/{name}/score", buyer), msgspec.json.encode(account.score(name))
        yield (f"row of {name}", buyer), msgspec.json.encode(account.row(name))
    told = explain(account, next(iter(world.minerals)))
    yield (f"/v1/minerals/{told.mineral}/score/explain", buyer), msgspec.json.encode(told)
    ties = [agreement_item(world, row, day) for row in world.agreements.values()]
    yield ("agreements", buyer), msgspec.json.encode(ties)
    yield ("restrictions", buyer), msgspec.json.encode([restriction_item(r, day) for r in world.restrictions.values()])


@contextmanager
def ledgers(server: Any, template: str, figures: Counter[str]) -> Iterator[type[Commits]]:
    """Commits of which every example has a ledger of its own, replayed when it is over."""

    def close(ledger: Ledger) -> None:
        try:
            if ledger.head:
                ledger.replay(figures)
        finally:
            ledger.close()

    yield type("Examples", (Commits,), {"open": lambda: Ledger(server, template), "close": close})


@contextmanager
def one_ledger(server: Any, template: str, figures: Counter[str]) -> Iterator[type[Commits]]:
    """Commits of which all examples go to one ledger, replayed at the end."""
    ledger = Ledger(server, template)
    try:
        yield type("Episodes", (Commits,), {"open": lambda: ledger, "close": lambda ledger: None})
        ledger.replay(figures)
    finally:
        ledger.close()


def test_every_answer_is_given_again_byte_for_byte(
    postgres: Any, migrated: str, capsys: pytest.CaptureFixture[str]
) -> None:
    figures: Counter[str] = Counter()
    chosen = settings(
        max_examples=6,
        stateful_step_count=30,
        deadline=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
        database=None,
        derandomize=not COMMITS,
    )
    if not COMMITS:
        with ledgers(postgres, migrated, figures) as commits:
            run_state_machine_as_test(commits, settings=chosen)
    else:
        with one_ledger(postgres, migrated, figures) as commits:
            while commits.open().head < COMMITS:
                run_state_machine_as_test(commits, settings=chosen)
        with capsys.disabled():
            print(f"\nreplayed: {dict(figures)}")
    assert figures["answers"] > 1000
    assert figures["changes added up"] > 50
