"""The running program against its own contract: whatever is asked, the answer is one the contract documents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS
from schemathesis.config import SchemathesisConfig

from service.app import openapi

CONFIG = SchemathesisConfig.from_path(Path(__file__).resolve().parents[1] / "schemathesis.toml")

# a body in a format that schemathesis cannot make up is asked in the other formats its operation takes
pytestmark = pytest.mark.filterwarnings("ignore:Skipped test cases with unsupported payload media types")

CONTRACT = schemathesis.openapi.from_dict(openapi(), config=CONFIG)


@pytest.fixture(scope="module")
def session() -> Iterator[requests.Session]:
    """One connection for all questions."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def asked(examples: int) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """The same questions in every run."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@CONTRACT.exclude(method="HEAD").parametrize()
@asked(25)
def test_every_answer_is_one_the_contract_documents(
    case: schemathesis.Case, address: str, session: requests.Session
) -> None:
    """Valid questions are answered, invalid ones refused, and nothing is a server error."""
    case.call_and_validate(base_url=address, session=session)


@CONTRACT.exclude(method=["GET", "POST"]).parametrize()
@asked(3)
def test_so_is_every_answer_to_head(case: schemathesis.Case, address: str, session: requests.Session) -> None:
    """It is the answer to GET without its body, which other tests show."""
    case.call_and_validate(base_url=address, session=session)


def test_every_check_is_on() -> None:
    for name in CHECKS.get_all_names():
        assert CONTRACT.config.checks.get_by_name(name=name).enabled, name
