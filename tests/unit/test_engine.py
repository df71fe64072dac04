"""Tests that need a Docker engine, where there is none."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NEEDS_ONE = ["tests/unit/test_migrate.py", "--postgres=container"]


def run(home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A run of such tests where no engine answers."""
    env = os.environ | {"DOCKER_HOST": f"unix://{home}/nobody-listens.sock"} | environment
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *NEEDS_ONE]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)


def test_without_an_engine_they_are_skipped_and_the_run_succeeds(tmp_path: Path) -> None:
    """What was left of asking for one, an open socket, once made the run fail."""
    done = run(tmp_path, CHOKEPOINT_REQUIRE_CONTAINERS="0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" in done.stdout


def test_where_one_is_required_they_fail(tmp_path: Path) -> None:
    """A continuous integration that lost its engine would otherwise pass."""
    done = run(tmp_path, CHOKEPOINT_REQUIRE_CONTAINERS="1")
    assert done.returncode == 1, done.stdout + done.stderr
    assert "no container of" in done.stdout
