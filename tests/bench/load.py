"""Servers to measure and the load they are measured with: `wrk`, one thread, the rest of the machine for the server."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPT = Path(__file__).with_name("wrk.lua")
CONNECTIONS = 32


class BenchError(Exception):
    """The machine lacks something the measurement needs."""


@dataclass(frozen=True)
class Rate:
    """What one run of the load saw."""

    per_second: float
    p99_ms: float


def need(program: str) -> str:
    """The path of a program. Raises BenchError where it is missing."""
    found = shutil.which(program)
    if found is None:
        raise BenchError(f"{program} is needed to measure rates; install it (Debian: apt install {program})")
    return found


def free_port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as attempt:
        attempt.bind(("127.0.0.1", 0))
        return int(attempt.getsockname()[1])


@contextlib.contextmanager
def serving(target: str, env: Mapping[str, str], *, factory: bool = False, probe: str = "/") -> Iterator[str]:
    """One granian worker with an ASGI application; the value is its base URL."""
    port = free_port()
    command = [
        str(Path(sys.executable).with_name("granian")),
        *("--interface", "asgi", "--loop", "uvloop", "--no-ws", "--port", str(port), "--log-level", "error"),
        *(["--factory"] if factory else []),
        target,
    ]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **env})
    base = f"http://127.0.0.1:{port}"
    try:
        _await(base + probe)
        yield base
    finally:
        process.terminate()
        process.wait(20)


def _await(url: str) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - a server of our own on loopback
                return
        except OSError as error:
            if getattr(error, "code", 503) != 503 or time.monotonic() > deadline:
                return
            time.sleep(0.1)


def load(base: str, paths: Sequence[str], seconds: int, key: str | None = None, *, apart: bool = False) -> Rate:
    """Asks for the paths again and again for a while. Raises BenchError when an answer is not a 2xx or 304.

    `apart` gives the load a session of its own, see `tests.serving.program`.
    """
    with tempfile.NamedTemporaryFile("w", suffix=".paths") as file:
        file.write("\n".join(paths) + "\n")
        file.flush()
        env = {**os.environ, "BENCH_PATHS": file.name, **({"BENCH_KEY": key} if key else {})}
        command = [
            need("wrk"),
            "-t1",
            f"-c{CONNECTIONS}",
            f"-d{seconds}s",
            "--timeout",
            "30s",
            "--latency",
            "-s",
            str(SCRIPT),
            base,
        ]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True, start_new_session=apart)
        out = done.stdout
    if re.search(r"Non-2xx or 3xx responses: \d+", out) or "Socket errors" in out:
        raise BenchError(f"{base} did not answer every request:\n{out}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", out)
    tail = re.search(r"99%\s+([\d.]+)(us|ms|s)", out)
    if rate is None or tail is None or not float(rate[1]):
        raise BenchError(f"{base} answered nothing:\n{out}")
    return Rate(float(rate[1]), float(tail[1]) * {"us": 1e-3, "ms": 1.0, "s": 1e3}[tail[2]])


def warm(base: str, paths: Sequence[str], key: str | None = None) -> tuple[list[str], int]:
    """Asks for every path once: each with its ETag behind a tab, and how many bytes an answer has on average."""
    tagged, size = [], 0
    for path in paths:
        headers = {"Accept": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        asked = urllib.request.Request(base + path, headers=headers)  # noqa: S310 - our own server
        with urllib.request.urlopen(asked) as answer:  # noqa: S310
            tagged.append(f"{path}\t{answer.headers['ETag']}")
            size += len(answer.read())
    return tagged, size // len(paths)
