"""Ready answers on their own: what is kept, for whom and for how long, and what is worked out only once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from service.http import ready
from service.http.ready import Ready
from service.http.worlds import Worlds

PATH = "/v1/minerals/cobalt"


class Book:
    """An application that answers with what it is told to, as slowly as it is told to, and counts how often."""

    def __init__(self) -> None:
        self.asked = 0
        self.body = b"one"
        self.headers = [(b"etag", b'"tag"')]
        self.open = asyncio.Event()
        self.open.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.asked += 1
        body = self.body
        await self.open.wait()
        await send({"type": "http.response.start", "status": 200, "headers": self.headers})
        await send({"type": "http.response.body", "body": body})


class Desk:
    """Ready answers in front of a book, over Worlds that are swapped by hand."""

    def __init__(self) -> None:
        self.worlds = Worlds("postgresql://nobody@localhost/none", "postgresql://nobody@localhost/none")
        self.swap()
        self.book = Book()
        self.ready = Ready(self.worlds, lambda _: None, self.book)

    def swap(self) -> None:
        """Makes another World the newest. Which one is all that ready answers want to know of it."""
        self.worlds.newest = object()  # type: ignore[assignment]

    async def ask(self, *headers: tuple[bytes, bytes], query: str = "", told: Any = ()) -> tuple[Any, bytes]:
        """The head and the body of an answer."""
        scope: Any = {"method": "GET", "path": PATH, "query_string": query.encode(), "headers": list(headers)}
        sent: list[Any] = []

        async def receive() -> Any:
            raise AssertionError("a read has no body")

        async def send(message: Any) -> None:
            sent.append(message)

        await self.ready.answer(scope, receive, send, told)
        return sent[0], sent[1]["body"]


@pytest.fixture
async def desk() -> Desk:
    return Desk()


@asynccontextmanager
async def held(desk: Desk, many: int) -> AsyncIterator[list[asyncio.Task[Any]]]:
    """So many who ask the same while the first answer is being worked out; it is finished when the block ends."""
    desk.book.open.clear()
    tasks = [asyncio.create_task(desk.ask()) for _ in range(many)]
    await asyncio.sleep(0)
    yield tasks
    desk.book.open.set()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_who_asks_the_same_at_once_is_answered_from_one_working_out(desk: Desk) -> None:
    async with held(desk, 50) as tasks:
        pass
    assert {task.result()[1] for task in tasks} == {b"one"}
    assert desk.book.asked == 1


async def test_those_who_wait_are_answered_even_if_the_first_has_gone(desk: Desk) -> None:
    """The first one's client hangs up: one of the others works it out."""
    async with held(desk, 5) as tasks:
        await asyncio.sleep(0)
        tasks[0].cancel()
    assert [task.result()[1] for task in tasks[1:]] == [b"one"] * 4


async def test_one_who_waits_and_goes_takes_nothing_from_the_others(desk: Desk) -> None:
    async with held(desk, 5) as tasks:
        await asyncio.sleep(0)
        tasks[2].cancel()
    assert [task.result()[1] for place, task in enumerate(tasks) if place != 2] == [b"one"] * 4
    assert desk.book.asked == 1


@pytest.mark.parametrize("turn", ["swap", "midnight"])
async def test_what_was_begun_before_the_world_or_the_day_turned_is_for_nobody_who_asks_later(
    desk: Desk, turn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with held(desk, 1) as early:
        if turn == "swap":
            desk.swap()
        else:
            monkeypatch.setattr(ready, "time", later(ready.time, 86_400))
        desk.book.body = b"two"
        late = asyncio.create_task(desk.ask())
        await asyncio.sleep(0)
    assert (early[0].result()[1], (await late)[1], (await desk.ask())[1]) == (b"one", b"two", b"two")


async def test_what_is_finished_after_a_swap_is_not_kept(desk: Desk) -> None:
    """It may be of the World before, and others have begun to ask the one after."""
    async with held(desk, 1) as early:
        desk.swap()
        desk.book.body = b"two"
        other = asyncio.create_task(desk.ask(query="buyer=USA"))
        await asyncio.sleep(0)
    assert (early[0].result()[1], (await other)[1], (await desk.ask())[1]) == (b"one", b"two", b"two")


def later(clock: Callable[[], float], seconds: float) -> Callable[[], float]:
    """A clock that goes ahead by so many seconds."""
    return lambda: clock() + seconds


@pytest.mark.parametrize("seconds", [86_400, -86_400])
async def test_a_clock_that_is_moved_to_another_day_forgets_the_answers_of_this_one(
    desk: Desk, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.ask()
    desk.book.body = b"another day"
    assert (await desk.ask())[1] == b"one"
    monkeypatch.setattr(ready, "time", later(ready.time, seconds))
    assert (await desk.ask())[1] == b"another day"


async def test_path_query_and_accept_tell_answers_apart_and_nothing_else_does(desk: Desk) -> None:
    for _ in range(2):
        await desk.ask()
        await desk.ask(query="buyer=USA")
        await desk.ask((b"accept", b"text/csv"))
        await desk.ask((b"accept", b"text/csv"), (b"accept", b"application/json"))
        await desk.ask((b"user-agent", b"whoever"))
    assert desk.book.asked == 4


async def test_what_is_told_to_one_is_told_to_nobody_else(desk: Desk) -> None:
    """A key's limit stands in the head of its own answer alone, of a 304 as well."""
    mine = (b"ratelimit", b"mine")
    for condition in ((), ((b"if-none-match", b'"tag"'),)):
        first, _ = await desk.ask(*condition, told=[mine])
        second, _ = await desk.ask(*condition)
        assert mine in first["headers"]
        assert mine not in second["headers"]


async def test_memory_is_bounded_by_answers_and_by_bytes(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was asked counts as well; the oldest goes first, and an answer larger than all the others is not kept."""
    monkeypatch.setattr(ready, "MOST_ENTRIES", 10)
    for place in range(20):
        await desk.ask(query=f"limit={place}")
    assert len(desk.ready._entries) == 10
    await desk.ask(query="limit=19")
    assert desk.book.asked == 20
    monkeypatch.setattr(ready, "MOST_BYTES", 200_000)
    for place in range(10):
        await desk.ask((b"accept", b"a" * 50_000), query=f"limit={place}")
        assert sum(entry.size for entry in desk.ready._entries.values()) == desk.ready._bytes <= 200_000
    monkeypatch.setattr(ready, "LARGEST", 1_000_000)
    desk.book.body = bytes(1_000_001)
    await desk.ask(query="large")
    assert all("large" not in str(key) for key in desk.ready._entries)


async def test_an_answer_without_an_etag_is_worked_out_for_everybody(desk: Desk) -> None:
    desk.book.headers = []
    async with held(desk, 3):
        pass
    await desk.ask()
    assert desk.book.asked == 4
