"""Several machines as a client sees them: one service, which goes on answering and forgets nothing.

The tests build on each other and run in this order: the last one ends the primary.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from service.http.minimum import HEADER
from tests.machines.cluster import Machines, Replica, until
from tests.machines.load import HEAD, Load, tables

pytestmark = pytest.mark.containers

FIXED = {"as_of": "2026-02-05", "known_at": "1"}
SCENARIO = {"changes": [{"change": "lose_supplier", "country": "CHN"}], "buyers": ["USA"], "store": True}


async def written(machine: Replica, key: str, number: int) -> httpx.Response:
    return await machine.ask(
        "/v1/imports",
        "POST",
        params={"format": "form:share", "source": "usgs-mcs-2026", "reason": f"number {number}"},
        content=tables(number),
        headers={"authorization": f"Bearer {key}", "content-type": "text/csv"},
    )


async def demanded(replica: Replica, number: int) -> int:
    """The revision answered from by a replica of which one is demanded, asked again as often as it says so."""
    for _ in range(30):
        answer = await replica.ask(HEAD, headers={HEADER: str(number)})
        if answer.status_code == 200:
            return int(answer.json()["known_at"])
        assert answer.status_code == 503, answer.text
        await asyncio.sleep(int(answer.headers["retry-after"]))
    raise AssertionError(f"revision {number} is not served")


async def head(cluster: Machines) -> int:
    """The newest revision there is."""
    answers = [await replica.ask("/health/live") for replica in cluster.replicas]
    return max(answer.json()["known_at"] for answer in answers)


async def fixed_reads(cluster: Machines) -> list[str]:
    """Every documented read that takes both `as_of` and `known_at`, with both fixed."""
    contract = (await cluster.balancer.ask("/openapi.json")).json()
    paths = []
    for path, item in contract["paths"].items():
        told = {parameter["name"]: parameter for parameter in item.get("get", {}).get("parameters", ())}
        if not FIXED.keys() <= told.keys():
            continue
        query = dict(FIXED)
        for name, parameter in told.items():
            if parameter["required"]:
                example = str(next(iter(parameter["examples"].values()))["value"])
                path, query = (
                    (path.replace(f"{{{name}}}", example), query)
                    if parameter["in"] == "path"
                    else (path, query | {name: example})
                )
        paths.append(str(httpx.URL(path, params=query)))
    return paths


@asynccontextmanager
async def loaded(cluster: Machines) -> AsyncIterator[Load]:
    """A load through the balancer."""
    expected = {path: (await cluster.replicas[0].ask(path)).content for path in await fixed_reads(cluster)}
    load = Load(cluster.balancer.url, cluster.key, expected, await head(cluster))
    async with load.running():
        yield load


async def more(load: Load, reads: int = 40, writes: int = 2) -> None:
    """Waits until so many more reads were checked and writes acknowledged."""
    wanted = load.checked + reads, len(load.acknowledged) + writes

    async def enough() -> bool:
        return load.checked >= wanted[0] and len(load.acknowledged) >= wanted[1]

    await until(enough, "progress")


async def test_every_replica_gives_the_same_bytes(cluster: Machines, report: list[str]) -> None:
    """At the same day and revision, whoever is asked, directly or through the balancer."""
    paths = await fixed_reads(cluster)
    assert len(paths) > 20
    for path in paths:
        answers = [await machine.ask(path) for machine in (*cluster.replicas, cluster.balancer)]
        assert {answer.status_code for answer in answers} == {200}, path
        assert len({(answer.content, answer.headers["etag"]) for answer in answers}) == 1, path
    report.append(f"{len(paths)} reads × 3 replicas and the balancer gave the same bytes and ETags")


async def test_a_write_through_the_balancer_is_read_from_every_replica(cluster: Machines) -> None:
    """By whoever sends its revision along; and it was made on the primary."""
    answer = await written(cluster.balancer, cluster.key, 1001)
    assert answer.status_code == 201, answer.text
    number = answer.json()["revision"]["revision"]
    for replica in cluster.replicas:
        assert await demanded(replica, number) == number
    assert await cluster.primary.run("select max(id) from revision") == number
    assert not await cluster.primary.run("select pg_is_in_recovery()")


async def test_while_the_standby_lags_nobody_is_told_the_past_for_the_present(cluster: Machines) -> None:
    """With its replay paused: what is demanded is refused with 503, what exists elsewhere is never said not to, and
    what was kept a moment ago is found. Once it replays, everything is there."""
    before = await head(cluster)
    for replica in cluster.replicas:
        await until(lambda of=replica: _is_at(of, before), "the newest revision")  # type: ignore[misc]
    await cluster.standby.run("select pg_wal_replay_pause()")
    try:
        number = (await written(cluster.balancer, cluster.key, 1002)).json()["revision"]["revision"]
        key = {"authorization": f"Bearer {cluster.key}"}
        kept = await cluster.balancer.ask("/v1/scenarios", "POST", json=SCENARIO, headers=key)
        assert kept.status_code == 201
        for replica in cluster.replicas:
            assert (await replica.ask(HEAD)).json()["known_at"] == before
            for path, headers in (
                (HEAD, {HEADER: str(number)}),
                (f"{HEAD}&known_at={number}", {}),
                (f"/v1/revisions/{number}", {}),
                (f"/v1/changes?since={number}", {}),
            ):
                refused = await replica.ask(path, headers=headers)
                assert (refused.status_code, refused.headers["retry-after"]) == (503, "1"), path
            assert (await replica.ask(f"{HEAD}&known_at={number + 1}")).status_code == 404
            assert (await replica.ask(kept.headers["location"])).status_code == 200
    finally:
        await cluster.standby.run("select pg_wal_replay_resume()")
    for replica in cluster.replicas:
        await until(lambda of=replica: _is_at(of, number), "the newest revision")  # type: ignore[misc]


async def _is_at(replica: Replica, number: int) -> bool:
    return bool((await replica.ask("/health/live")).json()["known_at"] >= number)


async def test_a_replica_may_go_at_any_time(cluster: Machines, report: list[str]) -> None:
    """Killed or stopped under load, none of the reads through the balancer fails or is wrong."""
    faults = 0
    async with loaded(cluster) as load:
        for replica, how in zip(cluster.replicas, ("kill", "stop"), strict=False):
            await more(load)
            await replica.do(how)
            faults += 1
            await more(load)
            await replica.do("start")
            await until(replica.ready, "the replica")
    assert load.failures == []
    report.append(
        f"{faults} replicas killed or stopped: {load.checked} reads checked, none failed; {len(load.acknowledged)}"
        f" writes acknowledged; refused: {dict(load.refused)}"
    )
    for number, reason in load.acknowledged.items():
        assert await cluster.primary.run(f"select reason from revision where id = {number}") == reason


async def test_the_standby_takes_over(cluster: Machines, report: list[str]) -> None:
    """The primary is silent for a while, then killed; reads go on. The standby is promoted; writes go on, and nothing
    that was acknowledged is lost. No replica has to be restarted, and one that starts meanwhile serves."""
    *steady, late = cluster.replicas
    started = [replica.started for replica in steady]
    async with loaded(cluster) as load:
        await more(load)
        await cluster.primary.do("pause")
        await more(load, writes=0)
        await cluster.primary.do("unpause")
        await more(load)
        await cluster.primary.do("kill")
        await late.do("kill")
        await more(load, writes=0)
        await late.do("start")
        await until(late.ready, "a replica that starts without a primary")
        refused = await written(cluster.balancer, cluster.key, 1003)
        assert refused.status_code == 503, refused.text
        assert int(refused.headers["retry-after"]) > 0
        promoted = time.monotonic()
        assert await cluster.standby.run("select pg_promote()")
        await more(load, reads=0, writes=1)
        away = time.monotonic() - promoted
        await more(load, writes=5)
    assert load.failures == []
    newest = max(load.acknowledged)
    for replica in cluster.replicas:
        assert await demanded(replica, newest) >= newest
        told = (await replica.ask("/v1/revisions?limit=1000")).json()["items"]
        reasons = {item["revision"]: item["reason"] for item in told}
        assert {number: reasons.get(number) for number in load.acknowledged} == load.acknowledged
        assert sorted(reasons) == list(range(1, len(reasons) + 1))
    assert [replica.started for replica in steady] == started
    report.append(
        "primary paused, then killed, a replica killed and started, standby promoted:"
        f" {load.checked} reads checked, none failed; {len(load.acknowledged)} writes acknowledged, none lost;"
        f" refused: {dict(load.refused)}; first write {away:.1f} s after the promotion; no replica restarted"
    )


async def test_who_followed_the_standby_listens_on_it_once_it_is_the_primary(cluster: Machines) -> None:
    """As a standby it had to be looked at all the time; now the connections wait for its call."""
    waiting = (
        "select count(*) from pg_stat_activity where application_name = 'chokepoint-follow'"
        " and clock_timestamp() - query_start > '0.5 s'"
    )

    async def all_wait() -> bool:
        return bool(await cluster.standby.run(waiting) == 2 * len(cluster.replicas))  # for revisions, and for keys

    await until(all_wait, "a rest")
