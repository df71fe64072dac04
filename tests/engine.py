"""The Docker engine that some tests need."""

from __future__ import annotations

import gc
import os
import warnings
from collections.abc import Callable
from typing import NoReturn, TypeVar

import docker
import pytest
from docker.errors import DockerException

T = TypeVar("T")


def give_up(why: str) -> NoReturn:
    """Skips the test; with CHOKEPOINT_REQUIRE_CONTAINERS=1, as in CI, fails it."""
    if os.environ.get("CHOKEPOINT_REQUIRE_CONTAINERS") == "1":
        pytest.fail(why)
    pytest.skip(why)


def told(question: Callable[[docker.DockerClient], T], without: str) -> T:
    """What the engine answers to a question. Where none answers, the test is given up; `without` says what it lacks.

    The library leaves the socket of a refused connection open, which counts against whatever runs when it is found:
    so it is found here.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            return question(docker.from_env(timeout=10))
        except DockerException as error:
            why = str(error)
        gc.collect()
    give_up(f"{without}: {why}")
