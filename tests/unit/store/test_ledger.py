"""Writing the ledger: all or nothing, a correction is a newer row, and what was written stays."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest

from service.migrate import migrate
from service.store import reading
from service.store.evidence import TABLES
from service.store.ledger import LedgerError, revise
from service.world.rows import Agreement, Country, Mineral, Reserve, Share
from tests.evidence import SOURCE, agreement, bloc, country, membership, mineral, share, source

CATALOG = [source(), country("AAA"), country("BBB"), mineral("cobalt")]


async def test_a_revision_says_who_when_why_and_how_much(ledger: Any) -> None:
    written = await ledger.write(CATALOG, share("cobalt", "AAA", 0.6))
    assert (written.id, written.author, written.reason) == (1, "somebody", "a reason")
    assert written.rows == {"source": 1, "country": 2, "mineral": 1, "share": 1}
    assert await reading.revision(ledger.connection, 1) == written == await reading.head(ledger.connection)
    assert await reading.revision_at(ledger.connection, written.committed_at) == 1


async def test_what_is_read_is_what_was_written(ledger: Any) -> None:
    """Lists, missing values and fractions come back as they were."""
    pact = agreement("ab", "AAA", "BBB", scope="named", minerals=("cobalt",), in_force=None)
    shares = [share("cobalt", "AAA", 0.1 + 0.2), share("cobalt", "BBB", None, qualifier="withheld")]
    await ledger.write(CATALOG, pact, shares)
    assert await ledger.standing(Agreement) == [pact]
    assert await ledger.standing(Share) == shares
    assert await ledger.standing(Mineral) == [mineral("cobalt")]


async def test_an_empty_ledger_has_no_revision(ledger: Any) -> None:
    assert (await ledger.head(), await reading.head(ledger.connection)) == (0, None)


async def test_writing_the_same_again_is_no_revision(ledger: Any) -> None:
    """Neither all of it nor part of it, nor the same row twice at once."""
    await ledger.write(CATALOG)
    assert await ledger.write(CATALOG) is None
    assert await ledger.write(CATALOG[0], CATALOG[0]) is None
    assert await ledger.head() == 1


async def test_only_what_differs_is_added(ledger: Any) -> None:
    await ledger.write(CATALOG)
    written = await ledger.write(CATALOG, country("CCC"))
    assert written.rows == {"country": 1}


async def test_a_correction_is_a_newer_row_and_the_older_one_stays(ledger: Any) -> None:
    wrong, right = share("cobalt", "AAA", 0.6), share("cobalt", "AAA", 0.7)
    await ledger.write(CATALOG, wrong)
    await ledger.write(right)
    assert await ledger.standing(Share) == [right]
    assert await ledger.standing(Share, at=1) == [wrong]


async def test_a_correction_back_is_a_correction_too(ledger: Any) -> None:
    first, second = share("cobalt", "AAA", 0.6), share("cobalt", "AAA", 0.7)
    await ledger.write(CATALOG, first)
    await ledger.write(second)
    written = await ledger.write(first)
    assert (written.id, await ledger.standing(Share)) == (3, [first])


async def test_a_retraction_withdraws_and_the_past_keeps_it(ledger: Any) -> None:
    """What counts is the key: whatever stands under it is withdrawn."""
    row = share("cobalt", "AAA", 0.6)
    await ledger.write(CATALOG, row)
    written = await ledger.retract(share("cobalt", "AAA", 0.999))
    assert written.rows == {"share": 1}
    assert await ledger.standing(Share) == []
    assert await ledger.standing(Share, at=1) == [row]
    assert await ledger.retract(row) is None
    await ledger.write(row)
    assert await ledger.standing(Share) == [row]


async def test_a_share_without_a_period_is_corrected_and_withdrawn_like_any_other(ledger: Any) -> None:
    """No year is a value of the key, not a hole in it."""
    undated = {"period_start": None, "period_end": None}
    await ledger.write(CATALOG, share("cobalt", "AAA", 0.77, **undated))
    await ledger.write(share("cobalt", "AAA", 0.78, **undated))
    assert [row.share for row in await ledger.standing(Share)] == [0.78]
    await ledger.retract(share("cobalt", "AAA", 0.78, **undated))
    assert await ledger.standing(Share) == []


async def test_taking_back_a_revision_restores_what_stood_before(ledger: Any) -> None:
    """Corrected rows get their old content, new rows go, withdrawn ones come back."""
    kept, gone = share("cobalt", "AAA", 0.6), agreement("ab", "AAA", "BBB")
    await ledger.write(CATALOG, kept, gone)
    before = await reading.head(ledger.connection)
    async with revise(ledger.connection, author="somebody", reason="a mistake") as draft:
        await draft.observe([share("cobalt", "AAA", 0.9), share("cobalt", "BBB", 0.1), country("CCC")])
        await draft.retract([gone])
    written = await ledger.undo(2)
    assert (written.retracts, written.data_version) == (2, before.data_version)
    assert await ledger.standing(Share) == [kept]
    assert await ledger.standing(Agreement) == [gone]
    assert [row.code for row in await ledger.standing(Country)] == ["AAA", "BBB"]
    assert [row.share for row in await ledger.standing(Share, at=2)] == [0.9, 0.1]


async def test_taking_back_leaves_alone_what_was_replaced_since(ledger: Any) -> None:
    await ledger.write(CATALOG, share("cobalt", "AAA", 0.6))
    await ledger.write(share("cobalt", "AAA", 0.7), share("cobalt", "BBB", 0.1))
    await ledger.write(share("cobalt", "AAA", 0.8))
    await ledger.undo(2)
    assert [(row.country, row.share) for row in await ledger.standing(Share)] == [("AAA", 0.8)]


async def test_taking_back_a_taking_back_brings_it_all_again(ledger: Any) -> None:
    await ledger.write(CATALOG)
    written = await ledger.write(share("cobalt", "AAA", 0.6))
    await ledger.undo(2)
    again = await ledger.undo(3)
    assert again.data_version == written.data_version
    assert [row.share for row in await ledger.standing(Share)] == [0.6]


@pytest.mark.parametrize(
    ("row", "stranger"),
    [
        (share("unobtainium", "AAA", 0.5), "unobtainium"),
        (share("cobalt", "ZZZ", 0.5), "ZZZ"),
        (share("cobalt", "AAA", 0.5, source="hearsay"), "hearsay"),
        (agreement("az", "AAA", "ZZZ"), "ZZZ"),
        (agreement("ab", "AAA", "BBB", minerals=("cobalt", "unobtainium")), "unobtainium"),
        (agreement("ab", "AAA", "BBB", successor="later"), "later"),
        (membership("CLUB", "AAA"), "CLUB"),
        (mineral("group", members=("cobalt", "unobtainium")), "unobtainium"),
    ],
)
async def test_a_row_that_names_something_unknown_is_refused_by_that_name(ledger: Any, row: Any, stranger: str) -> None:
    await ledger.write(CATALOG)
    with pytest.raises(LedgerError, match=f"'{stranger}'"):
        await ledger.write(row)
    assert await ledger.head() == 1


async def test_rows_may_name_each_other_within_a_revision(ledger: Any) -> None:
    """In whatever order they come."""
    await ledger.write(membership("CLUB", "AAA"), bloc("CLUB"), CATALOG)
    assert await ledger.head() == 1


async def test_what_others_name_cannot_be_withdrawn(ledger: Any) -> None:
    """Not by retracting it, and not by taking back the revision that brought it."""
    await ledger.write(CATALOG)
    await ledger.write(country("CCC"))
    await ledger.write(share("cobalt", "CCC", 0.5))
    for withdraw in (ledger.retract(country("CCC")), ledger.undo(2)):
        with pytest.raises(LedgerError, match="'CCC'"):
            await withdraw
    assert await ledger.head() == 3


async def test_two_different_rows_of_one_key_are_refused(ledger: Any) -> None:
    """Nobody could say which of them is meant."""
    with pytest.raises(LedgerError, match="share"):
        await ledger.write(CATALOG, [share("cobalt", "AAA", 0.6), share("cobalt", "AAA", 0.7)])
    assert await ledger.head() == 0


@pytest.mark.parametrize(
    "row",
    [
        share("cobalt", "AAA", 1.2),
        share("cobalt", "AAA", -0.1),
        share("cobalt", "AAA", float("nan")),
        share("cobalt", "AAA", 0.5, quantity=float("inf")),
        share("cobalt", "AAA", 0.5, period_start=2025, period_end=2024),
        share("cobalt", "AAA", 0.5, stage="selling"),
    ],
)
async def test_the_database_itself_refuses_figures_that_cannot_be(ledger: Any, row: Share) -> None:
    """Whatever program writes: a share is a fraction, amounts are finite, periods are in order."""
    await ledger.write(CATALOG)
    with pytest.raises((LedgerError, asyncpg.PostgresError)):
        await ledger.write(row)
    assert await ledger.head() == 1


async def test_all_or_nothing(ledger: Any) -> None:
    """An error after something has been written leaves nothing behind."""

    async def fail_half_way() -> None:
        async with revise(ledger.connection, author="somebody", reason="a reason") as draft:
            await draft.observe(CATALOG)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_half_way()
    assert await ledger.head() == 0
    for table in TABLES.values():
        assert await ledger.connection.fetchval(f"select count(*) from {table.quoted}") == 0
    assert (await ledger.write(CATALOG)).id == 1


async def test_a_revision_names_its_author_and_reason(ledger: Any) -> None:
    for author, reason in (("", "a reason"), ("somebody", "")):
        with pytest.raises(asyncpg.CheckViolationError):
            async with revise(ledger.connection, author=author, reason=reason) as draft:
                await draft.observe(CATALOG)


@pytest.mark.parametrize("table", ["revision", *TABLES])
@pytest.mark.parametrize("change", ["update {} set {} = {}", "delete from {}", "truncate {} cascade"])
async def test_the_database_refuses_to_change_or_forget(ledger: Any, table: str, change: str) -> None:
    """Whoever asks: also where nothing would be hit, and for every kind of evidence."""
    column = "author" if table == "revision" else "note"
    with pytest.raises(asyncpg.RestrictViolationError, match="the ledger only grows"):
        await ledger.connection.execute(change.format(f'"{table}"', column, column))


async def test_writers_at_the_same_time_get_numbers_without_gaps(dsn: str, ledger: Any) -> None:
    """In the order they commit; one that fails, or changes nothing, takes none."""
    await ledger.write(CATALOG)

    async def write(number: int) -> int | None:
        connection = await asyncpg.connect(dsn)
        try:
            async with revise(connection, author=f"writer {number}", reason="a race") as draft:
                await draft.observe(CATALOG if number % 4 == 0 else [source(f"source-{number}")])
                await asyncio.sleep(0.002 * (number % 3))
                if number % 4 == 1:
                    raise LookupError
        except LookupError:
            return None
        finally:
            await connection.close()
        return draft.revision and draft.revision.id

    written = [number for number in await asyncio.gather(*map(write, range(12))) if number is not None]
    assert sorted(written) == list(range(2, 8))
    revisions = await reading.revisions(ledger.connection, 1, 7)
    assert [r.id for r in revisions] == [1, 2, 3, 4, 5, 6, 7]
    moments = [r.committed_at for r in revisions]
    assert moments == sorted(moments)


async def test_a_writer_sees_what_was_written_while_it_queued(ledger: Any, second: Any) -> None:
    """Its rows are compared with what stands when it is its turn."""
    await ledger.write(CATALOG)
    async with revise(ledger.connection, author="first", reason="a race") as draft:
        await draft.observe([country("CCC")])
        waiting = asyncio.create_task(second.write(country("CCC"), country("DDD")))
        await asyncio.sleep(0.05)
        assert not waiting.done()
    written = await waiting
    assert (written.id, written.rows) == (3, {"country": 1})


async def test_a_new_revision_is_announced(ledger: Any, second: Any) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    await second.connection.add_listener(reading.CHANNEL, lambda *told: heard.put_nowait(str(told[-1])))
    await ledger.write(CATALOG)
    assert await asyncio.wait_for(heard.get(), 5) == "1"


async def test_two_ledgers_of_the_same_content_have_the_same_version(dsn: str, ledger: Any, empty_dsn: str) -> None:
    """However it came about: in another order, in more steps, by corrections and withdrawals."""
    rows = [*CATALOG, share("cobalt", "AAA", 0.6), share("cobalt", "BBB", 0.3), agreement("ab", "AAA", "BBB")]
    at_once = await ledger.write(rows)
    await migrate(empty_dsn)
    other = type(ledger)(await asyncpg.connect(empty_dsn))
    await other.write(CATALOG[::-1])
    await other.write(agreement("ab", "AAA", "BBB", title="Another title"), share("cobalt", "BBB", 0.3))
    await other.write(share("cobalt", "AAA", 0.5), source("passing"))
    await other.write(share("cobalt", "AAA", 0.6), agreement("ab", "AAA", "BBB"))
    in_steps = await other.retract(source("passing"))
    await other.connection.close()
    assert (at_once.id, in_steps.id) == (1, 5)
    assert at_once.data_version == in_steps.data_version


async def test_other_content_is_another_version(ledger: Any) -> None:
    versions = [
        (await ledger.write(CATALOG)).data_version,
        (await ledger.write(share("cobalt", "AAA", 0.6))).data_version,
        (await ledger.write(share("cobalt", "AAA", 0.6, note="as printed"))).data_version,
        (await ledger.write(share("cobalt", "AAA", 0.600001))).data_version,
    ]
    assert len(set(versions)) == 4


@pytest.mark.containers
async def test_rows_come_in_one_order_whatever_the_database_sorts_by(postgres: Any, administrator: Any) -> None:
    """By code points, not by the locale the database was made with: the same ledger has the same lists everywhere."""
    collations = "select count(*) from pg_collation where collname = 'en-US-x-icu'"
    if not await administrator.fetchval(collations):
        pytest.skip("this server knows no locale that sorts otherwise")
    await administrator.execute(
        "create database sorted_otherwise template template0 encoding 'UTF8' locale_provider icu icu_locale 'en-US'"
    )
    await migrate(postgres.database("sorted_otherwise"))
    connection = await asyncpg.connect(postgres.database("sorted_otherwise"))
    bases = ["ash", "Ash", "zinc", "Zinc", "gross weight", "gross-weight", "2 % zinc"]
    rows = [
        Reserve(mineral="cobalt", country="AAA", year=2024, printed="1", unit="t", basis=b, source=SOURCE)
        for b in bases
    ]
    async with revise(connection, author="somebody", reason="a reason") as draft:
        await draft.observe([*CATALOG, *rows])
    assert [row.basis for row in await reading.standing(connection, Reserve, 1)] == sorted(bases)
    assert await connection.fetchval("select 'Zinc' > 'ash'")  # it does sort otherwise
    await connection.close()
    await administrator.execute("drop database sorted_otherwise")
