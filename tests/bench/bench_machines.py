"""What several machines take: bytes and memory, and the time from a write to every replica, with and without waiting.

Run: CHOKEPOINT_TEST_IMAGE=chokepoint python -m tests.bench.bench_machines        (needs Docker; see tests/machines)
"""

from __future__ import annotations

import asyncio
import gzip
import subprocess
from statistics import median
from time import perf_counter

from tests.commands import takes_no_arguments
from tests.machines.cluster import Machines, Replica, asking, machines
from tests.machines.load import tables

WRITES = 20
DAY = "as_of=2026-02-05&known_at=1"
READS = (
    f"/v1/minerals/cobalt/score?buyer=USA&{DAY}",
    f"/v1/scores?buyer=USA&{DAY}",
    f"/v1/minerals/cobalt/score/explain?buyer=USA&{DAY}",
)
STANDBYS = {"acknowledged by both": "two", "not waited for": ""}


async def write(cluster: Machines, number: int) -> int:
    """Writes a revision through the balancer; its number."""
    answer = await cluster.balancer.ask(
        "/v1/imports",
        "POST",
        params={"format": "form:share", "source": "usgs-mcs-2026", "reason": f"write {number}"},
        content=tables(number),
        headers={"authorization": f"Bearer {cluster.key}", "content-type": "text/csv"},
    )
    assert answer.status_code == 201, answer.text
    return int(answer.json()["revision"]["revision"])


async def seen(replica: Replica, revision: int) -> float:
    """The moment from which a replica serves a revision."""
    while (await replica.ask("/health/live")).json()["known_at"] < revision:
        await asyncio.sleep(0.005)
    return perf_counter()


def milliseconds(seconds: list[float]) -> str:
    return f"median {median(seconds) * 1000:.0f} ms, worst {max(seconds) * 1000:.0f} ms"


async def follow(cluster: Machines, first: int) -> None:
    """Prints how long writes take, and how long until all replicas serve them."""
    acknowledged, served, replayed = [], [], []
    for number in range(first, first + WRITES):
        begun = perf_counter()
        revision = await write(cluster, number)
        told = perf_counter()
        lag = await cluster.primary.run("select extract(epoch from replay_lag) from pg_stat_replication")
        acknowledged.append(told - begun)
        served.append(max(await asyncio.gather(*(seen(replica, revision) for replica in cluster.replicas))) - told)
        replayed += [float(lag)] if lag is not None else []
        await asyncio.sleep(0.3)
    print(f"  until acknowledged: {milliseconds(acknowledged)}")
    print(f"  from then until every replica serves it: {milliseconds(served)}")
    print(f"  replay on the standby: {milliseconds(replayed)}" if replayed else "  replay: at once")


async def measure() -> None:
    """Prints everything."""
    with machines() as cluster:
        await cluster.set_up()
        for path in READS:
            body = (await cluster.balancer.ask(path)).content
            print(f"{path}: {len(body):,} bytes, {len(gzip.compress(body, 6)):,} compressed")
        for place, (what, names) in enumerate(STANDBYS.items(), start=1):
            await cluster.primary.run(
                f"alter system set synchronous_standby_names = '{names}'", "select pg_reload_conf()"
            )
            print(f"{WRITES} writes, {what}:")
            await follow(cluster, place * 1000)
        ids = [replica.container.get_container_id() for replica in cluster.replicas]
        shown = ["docker", "stats", "--no-stream", "--format", "memory of a replica: {{.MemUsage}}", *ids]
        print(subprocess.run(shown, capture_output=True, text=True, check=True).stdout, end="")
        await asking().aclose()


if __name__ == "__main__":
    takes_no_arguments(__doc__)
    asyncio.run(measure())
