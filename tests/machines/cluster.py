"""Several machines in containers: a balancer, three replicas, a primary and a standby that streams from it."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import asyncpg
import httpx
from testcontainers.core.container import DockerContainer
from testcontainers.core.network import Network

from service.logins import READER, WRITER
from service.settings import Secret
from service.store import keys
from service.store.connecting import Lost
from tests.engine import give_up, told

PASSWORD = "only-for-this-run"  # noqa: S105
SECRET = "a secret of these tests, long enough"  # noqa: S105
NGINX = Path(__file__).resolve().parents[2] / "deploy" / "nginx.conf"
REPLICAS = ("replica-1", "replica-2", "replica-3")
DEADLINE = 60.0
"""Seconds in which whatever is waited for has to come about."""

UNSAFE_BUT_FAST = ("-c", "fsync=off", "-c", "full_page_writes=off")
"""Servers are killed here, but no machine loses its power."""

LET_IN = """
echo "host replication replicator all scram-sha-256" >>"${PGDATA:-/var/lib/postgresql/data}/pg_hba.conf"
"""
STANDBY = """
export PGDATA=/tmp/standby PGPASSWORD=$POSTGRES_PASSWORD
until pg_basebackup --dbname="host=one user=replicator application_name=two" --pgdata="$PGDATA" --write-recovery-conf \
    --create-slot --slot=two --checkpoint=fast --no-sync; do rm -rf "$PGDATA"; sleep 0.2; done
exec postgres -D "$PGDATA" -c listen_addresses='*' -k /tmp -c hot_standby_feedback=on -c fsync=off
"""


def image(variable: str, default: str | None = None) -> str:
    """The image a variable names. Where it or the Docker engine is missing, the test is skipped or, in CI, fails."""
    name = os.environ.get(variable) or default
    if name is None:
        give_up(f"{variable} names no image: docker build --tag chokepoint . && export {variable}=chokepoint")
    told(lambda engine: engine.images.get(name), f"no image {name}")
    return name


async def until(true: Callable[[], Any], what: str) -> None:
    """Waits until an async function returns something true."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(DEADLINE):
            while not await true():
                await asyncio.sleep(0.05)
            return
    raise AssertionError(f"{what} has not come about in {DEADLINE:g} s")


@cache
def asking() -> httpx.AsyncClient:
    """The client that all questions go through but those of a load."""
    return httpx.AsyncClient(timeout=DEADLINE, trust_env=False)


class Machine:
    """One container: what it is called on the network, and where it answers from outside."""

    def __init__(self, container: DockerContainer, port: int) -> None:
        self.container = container
        self._inner = port

    @property
    def address(self) -> str:
        """Host and port for somebody outside the network; another port after each start."""
        return f"{self.container.get_container_host_ip()}:{self.container.get_exposed_port(self._inner)}"

    @property
    def started(self) -> str:
        """When it was started last."""
        wrapped = self.container.get_wrapped_container()
        wrapped.reload()
        return str(wrapped.attrs["State"]["StartedAt"])

    async def do(self, what: str, **options: Any) -> None:
        """What Docker does with containers: kill, stop, start, pause or unpause it."""
        await asyncio.to_thread(getattr(self.container.get_wrapped_container(), what), **options)


class Postgres(Machine):
    """A database server."""

    @contextlib.asynccontextmanager
    async def connected(self) -> AsyncIterator[Any]:
        """A connection from outside, as superuser."""
        connection = await asyncpg.connect(f"postgresql://chokepoint:{PASSWORD}@{self.address}/chokepoint", timeout=5)
        try:
            yield connection
        finally:
            connection.terminate()

    async def run(self, *statements: str) -> Any:
        """The value of the last statement."""
        async with self.connected() as connection:
            for statement in statements:
                value = await connection.fetchval(statement)
        return value

    async def answers(self) -> bool:
        """Whether it can be asked."""
        try:
            return bool(await self.run("select true"))
        except Lost:
            return False


class Replica(Machine):
    """One process of the service."""

    @property
    def url(self) -> str:
        """Where it answers from outside."""
        return f"http://{self.address}"

    async def ask(self, path: str, method: str = "GET", **options: Any) -> httpx.Response:
        """The answer to a request."""
        return await asking().request(method, self.url + path, **options)

    async def ready(self) -> bool:
        """Whether it answers reads."""
        try:
            return (await self.ask("/health/ready")).status_code == 200
        except httpx.TransportError:
            return False


class Machines:
    """All of them, and an API key that may write."""

    def __init__(self, start: Callable[..., DockerContainer]) -> None:
        server = image("CHOKEPOINT_TEST_POSTGRES_IMAGE", "postgres:17")
        program, balancer = image("CHOKEPOINT_TEST_IMAGE"), image("CHOKEPOINT_TEST_NGINX_IMAGE", "nginx:1")
        account = {"POSTGRES_USER": "chokepoint", "POSTGRES_PASSWORD": PASSWORD}
        settings = {
            "CHOKEPOINT_DATABASE_URL": f"postgresql://{WRITER}:{PASSWORD}@one,two/chokepoint"
            "?target_session_attrs=read-write",
            "CHOKEPOINT_READ_URL": f"postgresql://{READER}:{PASSWORD}@two,one/chokepoint"
            "?target_session_attrs=prefer-standby",
            "CHOKEPOINT_SECRET": SECRET,
            "CHOKEPOINT_RATE_LIMIT": "100000/1",
        }
        hardened = {"read_only": True, "cap_drop": ["ALL"]}
        owner = {"CHOKEPOINT_MIGRATE_URL": f"postgresql://chokepoint:{PASSWORD}@one/chokepoint"}
        self.primary = Postgres(start(server, "one", 5432, account, command=["postgres", *UNSAFE_BUT_FAST]), 5432)
        standby = {"entrypoint": ["bash", "-c", STANDBY], "user": "postgres"}
        self.standby = Postgres(start(server, "two", 5432, account, **standby), 5432)
        self._migrate = lambda: start(
            program, "migrate", 8000, settings | owner, command=["migrate", "--logins"]
        ).wait()
        self._replicas = lambda: [Replica(start(program, name, 8000, settings, **hardened), 8000) for name in REPLICAS]
        self._balancer = lambda: Replica(
            start(balancer, "balancer", 8080, {}, transferables=[(NGINX, "/etc/nginx/nginx.conf")]), 8080
        )
        self.replicas: list[Replica] = []
        self.key = ""

    async def set_up(self) -> None:
        """Starts what needs the primary, in the order in which one needs the other."""
        await until(self.primary.answers, "a primary")
        wrapped = self.primary.container.get_wrapped_container()
        assert wrapped.exec_run(["bash", "-c", LET_IN]).exit_code == 0
        await self.primary.run(
            f"create role replicator replication login password '{PASSWORD}'", "select pg_reload_conf()"
        )
        assert await asyncio.to_thread(self._migrate) == 0
        self.replicas = await asyncio.to_thread(self._replicas)
        await until(self.standby.answers, "a standby")
        await self.primary.run("alter system set synchronous_standby_names = 'two'", "select pg_reload_conf()")
        await until(lambda: self.primary.run("select bool_or(sync_state = 'sync') from pg_stat_replication"), "a sync")
        for replica in self.replicas:
            await until(replica.ready, "a replica")
        async with self.primary.connected() as connection:
            _, self.key = await keys.create(connection, Secret(SECRET.encode()), "the load", "write")
        self.balancer = await asyncio.to_thread(self._balancer)
        await until(self.balancer.ready, "a balancer")


@contextlib.contextmanager
def machines() -> Iterator[Machines]:
    """Containers on a network of their own, which end with the block."""
    with contextlib.ExitStack() as stack:

        def start(name: str, alias: str, port: int, env: dict[str, str], **options: Any) -> DockerContainer:
            container = DockerContainer(name, env=env, ports=[port], **options)
            container.with_tmpfs_mount("/tmp")  # noqa: S108 - all that a replica may write to
            return stack.enter_context(container.with_network(network).with_network_aliases(alias))

        image("CHOKEPOINT_TEST_IMAGE")
        network = stack.enter_context(Network())
        yield Machines(start)
