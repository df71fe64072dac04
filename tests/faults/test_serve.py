"""`chokepoint serve` as its operator knows it: it starts by itself, says where it answers, leaves nothing behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

PROGRAM = [sys.executable, "-m", "service"]


@pytest.fixture
def home(lasting_home: Path) -> Path:
    """The home of every service here: one runs after the other, and later ones find a filled ledger."""
    return lasting_home


@pytest.fixture
def port() -> int:
    """A TCP port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def serving(home: Path, port: int, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A service that answers, and the first line it prints."""
    env = {**os.environ, "CHOKEPOINT_HOME": str(home), "CHOKEPOINT_PORT": str(port)}
    with subprocess.Popen([*PROGRAM, "serve", *options], env=env, stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout is not None
        everything = []
        try:
            announced = service.stdout.readline()
            everything = [psutil.Process(service.pid), *psutil.Process(service.pid).children(recursive=True)]
            yield service, announced
        finally:
            service.terminate()
            service.wait()
            for process in everything:
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()


def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """The program, run to its end in an environment with `env` on top."""
    return subprocess.run(
        [*PROGRAM, *arguments], env={**os.environ, **env}, capture_output=True, text=True, check=False
    )


def is_ready(port: int) -> bool:
    return httpx.get(f"http://127.0.0.1:{port}/health/ready").status_code == 200


def gone(processes: list[psutil.Process]) -> bool:
    """Whether all of them have ended within ten seconds, be it that their parent has not asked for their status yet."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in processes):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGHUP])
def test_it_announces_its_address_when_it_answers_and_stops_cleanly(
    sign: signal.Signals, home: Path, port: int
) -> None:
    with serving(home, port, "--workers", "2") as (service, announced):
        assert announced == f"Chokepoint answers at http://127.0.0.1:{port}\n"
        assert service.stdout is not None
        example = service.stdout.readline().split("'")[1]
        assert httpx.get(example).json()["mineral"] == "cobalt"
        children = psutil.Process(service.pid).children(recursive=True)
        service.send_signal(sign)
        assert service.wait(10) == 0
        assert gone(children)


def test_a_second_start_keeps_the_data_and_is_less_than_two_seconds_of_work(home: Path, port: int) -> None:
    address = f"http://127.0.0.1:{port}/v1/minerals/cobalt/score?buyer=USA&as_of=2026-02-05"
    with serving(home, port):
        first = httpx.get(address).content
    with serving(home, port) as (service, _):
        parent = psutil.Process(service.pid)
        times = [each.cpu_times() for each in (parent, *parent.children(recursive=True))]
        assert sum(each.user + each.system for each in times) < 2
        assert httpx.get(address).content == first


def test_after_its_parent_was_killed_no_worker_stays_and_the_next_start_serves(home: Path, port: int) -> None:
    with serving(home, port) as (service, _):
        workers = [each for each in psutil.Process(service.pid).children() if each.name() != "postgres"]
        service.kill()
        with serving(home, port):
            assert gone(workers)
            assert is_ready(port)


def test_it_follows_the_process_that_started_it_when_asked_to(home: Path, port: int) -> None:
    """As under make, which may be killed without a chance to pass it on."""
    script = '"$@" & wait'
    env = {**os.environ, "CHOKEPOINT_HOME": str(home), "CHOKEPOINT_PORT": str(port)}
    with subprocess.Popen(
        ["sh", "-c", script, "sh", *PROGRAM, "serve", "--with-parent"], env=env, stdout=subprocess.PIPE, text=True
    ) as shell:
        assert shell.stdout is not None
        assert "answers" in shell.stdout.readline()
        children = psutil.Process(shell.pid).children(recursive=True)
        shell.kill()
        assert gone(children)


def test_a_second_service_is_refused_its_home_and_its_port(home: Path, port: int, tmp_path: Path) -> None:
    with serving(home, port) as (service, _):
        same_port = run("serve", CHOKEPOINT_HOME=str(tmp_path), CHOKEPOINT_PORT=str(port))
        assert (same_port.returncode, same_port.stdout) == (2, "")
        assert same_port.stderr.startswith(f"chokepoint: cannot listen on 127.0.0.1, port {port}: ")
        same_home = run("serve", "--port", "1025", CHOKEPOINT_HOME=str(home))
        assert (same_home.returncode, same_home.stdout) == (2, "")
        assert f"{home} is in use by another chokepoint (process {service.pid})" in same_home.stderr
        assert is_ready(port)


def test_other_commands_use_the_database_of_a_running_service(home: Path, port: int) -> None:
    with serving(home, port):
        result = run("migrate", CHOKEPOINT_HOME=str(home))
        assert (result.returncode, result.stdout, result.stderr) == (0, "nothing to apply\n", "")


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["migrate", "--status"]])
@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CHOKEPOINT_DATABASE_URL", "postgresql://me:secret@127.0.0.1:1/risk"),
        ("CHOKEPOINT_DATABASE_URL", "sqlite:///risk"),
        ("CHOKEPOINT_WORKERS", "lots"),
        ("CHOKEPOINT_HOME", "/proc/no/such/place"),
    ],
)
def test_a_wrong_setting_ends_in_one_line_and_exit_code_2(
    command: list[str], variable: str, value: str, port: int
) -> None:
    result = run(*command, **{"CHOKEPOINT_PORT": str(port), variable: value})
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("chokepoint: ")
    assert result.stderr.count("\n") == 1
    assert "secret" not in result.stderr


@pytest.mark.parametrize("command", [[], ["serve"], ["migrate"]])
def test_help_tells_what_a_command_is_for(command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.returncode == 0
    assert "Example:" in result.stdout or not command
    assert "CHOKEPOINT_" in result.stdout
