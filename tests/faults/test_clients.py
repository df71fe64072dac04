"""Clients that are slow, silent, greedy or many: each is turned away or cut off in time, and the others notice nothing.

Nobody can be told apart here by where he comes from: how many connections one address may have is for a proxy to say.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest

from service.http.patience import GRACE
from service.server import LARGEST_HEAD, MOST_CONNECTIONS, PATIENCE_WITH_HEAD, PATIENCE_WITH_READER
from tests.faults.checked import Load, Server, serving
from tests.faults.test_workers import until, workers

POST = b"POST /v1/scenarios HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
LEEWAY = 20.0
"""Seconds that a busy machine may add to a deadline."""


@contextlib.contextmanager
def connected(server: Server, *sent: bytes) -> Iterator[socket.socket]:
    """A connection on which something has been sent."""
    place = urlsplit(server.base)
    with socket.create_connection((place.hostname, place.port), timeout=90) as client:
        for each in sent:
            client.sendall(each)
        yield client


def rest(client: socket.socket) -> bytes:
    """What comes on a connection until the server closes it."""
    received = b""
    with contextlib.suppress(ConnectionError):
        while chunk := client.recv(65536):
            received += chunk
    return received


def silent(server: Server) -> bytes:
    """Connects, and says nothing."""
    with connected(server) as client:
        return rest(client)


def slow_head(server: Server) -> bytes:
    """Sends a field of the head every second, and no end of it."""
    with connected(server, b"GET / HTTP/1.1\r\nHost: here\r\n") as client, dripping(client, b"X: y\r\n"):
        return rest(client)


def idle(server: Server) -> bytes:
    """Keeps the connection after an answer, and asks nothing more."""
    with connected(server, b"GET /health/live HTTP/1.1\r\nHost: here\r\n\r\n") as client:
        return rest(client)


def stalled_body(server: Server) -> bytes:
    """Promises a body, and sends the beginning of it."""
    with connected(server, POST, b"Content-Length: 1000\r\n\r\n{") as client:
        return rest(client)


def dripping_body(server: Server) -> bytes:
    """Sends a byte of the body every second."""
    with connected(server, POST, b"Content-Length: 1000\r\n\r\n{") as client, dripping(client, b" "):
        return rest(client)


def dripping_chunks(server: Server) -> bytes:
    """The same, with no length promised."""
    with connected(server, POST, b"Transfer-Encoding: chunked\r\n\r\n") as client, dripping(client, b"1\r\n \r\n"):
        return rest(client)


def deaf(server: Server) -> bytes:
    """Asks for a large answer many times over, and takes nothing of it."""
    with connected(server, *[b"GET /docs/assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: here\r\n\r\n"] * 20) as client:
        ours = client.getsockname()
        until(lambda: held(server, ours), LEEWAY)  # a busy worker takes a connection up in its own time
        until(lambda: not held(server, ours), PATIENCE_WITH_READER + 2 * LEEWAY)
    return b""


def held(server: Server, client: tuple[str, int]) -> bool:
    """Whether a worker keeps the connection of a client."""
    return any(each.raddr == client for worker in workers(server) for each in worker.net_connections("tcp"))


@contextlib.contextmanager
def dripping(client: socket.socket, drop: bytes) -> Iterator[None]:
    """Sends a drop every second as long as the block runs."""
    over = threading.Event()

    def drip() -> None:
        with contextlib.suppress(OSError):
            while not over.wait(1):
                client.sendall(drop)

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


SLOW: dict[Callable[[Server], bytes], tuple[float, bytes]] = {
    silent: (PATIENCE_WITH_HEAD, b""),
    slow_head: (PATIENCE_WITH_HEAD, b""),
    idle: (PATIENCE_WITH_HEAD, b"HTTP/1.1 200 "),
    stalled_body: (GRACE, b"HTTP/1.1 408 "),
    dripping_body: (GRACE, b"HTTP/1.1 408 "),
    dripping_chunks: (GRACE, b"HTTP/1.1 408 "),
    deaf: (PATIENCE_WITH_READER, b""),
}
"""Slow clients, the seconds each of them gets, and what each is told in the end."""


def test_a_slow_client_is_cut_off_in_time(served: str, reference: str) -> None:
    """All kinds of them at once, several of each, beside a load that is answered as ever."""
    outcomes: list[tuple[str, float, bytes]] = []

    def come(kind: Callable[[Server], bytes], server: Server) -> None:
        begun = time.monotonic()
        told = kind(server)
        outcomes.append((kind.__name__, time.monotonic() - begun, told))

    with serving(served, workers=1) as server, Load(server) as load:
        clients = [threading.Thread(target=come, args=[kind, server]) for kind in SLOW for _ in range(3)]
        with load.fault():
            for client in clients:
                client.start()
            for client in clients:
                client.join()
    report = load.verified(served, reference)
    worst = {name: max(each[1] for each in outcomes if each[0] == name) for name, *_ in outcomes}
    print(
        len(outcomes), "slow clients, cut off after at most", {name: f"{s:.1f} s" for name, s in worst.items()}, report
    )
    assert len(outcomes) == len(clients)
    for kind, (seconds, told) in SLOW.items():
        for name, took, received in outcomes:
            if name == kind.__name__:
                assert seconds - 1 < took < seconds + LEEWAY + (LEEWAY if kind is deaf else 0), name
                assert received.startswith(told), name
                assert told or not received, name
    assert report.sound(), report


FLOODS: dict[str, tuple[bytes, set[bytes | None]]] = {
    "a line of a megabyte": (b"GET /" + b"a" * 1024**2 + b" HTTP/1.1\r\n\r\n", {b"414", b"431"}),
    "a field of a megabyte": (b"GET / HTTP/1.1\r\nX: " + b"a" * 1024**2 + b"\r\n\r\n", {b"431"}),
    "a thousand fields": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 1000 + b"\r\n", {b"431"}),
    "no end of fields": (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * LARGEST_HEAD, {b"431"}),
    "a body said to be too large": (POST + b"Content-Length: 99999999999\r\n\r\n{", {b"413"}),
    "chunks without end": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + (b"10000\r\n" + b" " * 65536 + b"\r\n") * 1000,
        {b"413"},
    ),
    "lengths that contradict": (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n{}", {b"400"}),
    "a length that is none": (POST + b"Content-Length: -1\r\n\r\n", {b"400"}),
    "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01" + bytes(500), {b"400"}),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {None, b"400", b"505"}),
}
"""What greedy or strange clients send, and the statuses it is answered with; None is a connection just closed."""


def test_what_is_too_large_or_senseless_is_refused_at_once(served: str, reference: str) -> None:
    """By its head or by its first megabyte, over and over, and the memory of the worker stays what it was."""
    with serving(served, workers=1) as server, Load(server) as load:
        [worker] = workers(server)
        sizes = []
        with load.fault():
            for _ in range(20):
                for name, (sent, statuses) in FLOODS.items():
                    assert status_of(server, sent) in statuses, name
                sizes.append(worker.memory_info().rss)
    report = load.verified(served, reference)
    print(20 * len(FLOODS), "floods; MiB", sizes[4] // 2**20, "to", sizes[-1] // 2**20, report)
    assert sizes[-1] < sizes[4] + 32 * 2**20
    assert report.sound(), report


def status_of(server: Server, sent: bytes) -> bytes | None:
    """The status that something is answered with, sent for as long as it is taken; None if the connection is cut."""
    with connected(server) as client:
        sender = threading.Thread(target=send, args=[client, sent])
        sender.start()
        try:
            head = client.recv(65536)
        except ConnectionError:
            head = b""
        with contextlib.suppress(OSError):
            client.shutdown(socket.SHUT_RDWR)
        sender.join()
    return head.split(b" ")[1] if head.startswith(b"HTTP/1.1 ") else None


def send(client: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        client.sendall(data)


@pytest.mark.parametrize(
    "beginning", [b"", b"GET / HTTP/1.1\r\nX: " + b"a" * 8192], ids=["silent", "with a head begun"]
)
def test_thousands_of_connections_leave_room_for_others(beginning: bytes, served: str, reference: str) -> None:
    """They are closed in time, and the memory they take is bounded."""
    with serving(served, workers=1) as server, Load(server) as load, contextlib.ExitStack() as stack:
        [worker] = workers(server)
        before = worker.memory_info().rss
        with load.fault():
            begun = time.monotonic()
            for _ in range(MOST_CONNECTIONS // 2):
                stack.enter_context(connected(server, beginning))
            most = worker.memory_info().rss
            until(lambda: len(worker.net_connections("tcp")) < 100, PATIENCE_WITH_HEAD + 2 * LEEWAY)
            seconds = time.monotonic() - begun
    report = load.verified(served, reference)
    print(
        f"{MOST_CONNECTIONS // 2} connections, gone after {seconds:.0f} s, {(most - before) // 2**20} MiB more", report
    )
    assert most - before < MOST_CONNECTIONS * (LARGEST_HEAD + 8192)
    assert report.sound(), report
