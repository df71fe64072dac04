"""The README says what is so: its example is executed, its table of settings complete, its paths and files there."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

from httpx import AsyncClient

from service import settings
from service.app import openapi

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def part(shown: Any, answered: Any) -> bool:
    """Whether what is shown is as answered, with nothing but fields and further entries of lists left out."""
    if isinstance(shown, dict):
        return all(name in answered and part(value, answered[name]) for name, value in shown.items())
    if isinstance(shown, list):
        return len(shown) <= len(answered) and all(map(part, shown, answered))
    return bool(shown == answered)


async def test_the_example_is_answered_as_shown(client: AsyncClient) -> None:
    """The request as it stands there; the answer shortened and otherwise to the digit."""
    (command,) = re.findall(r"^    (curl '.*)$", README, re.MULTILINE)
    target = shlex.split(command)[1].removeprefix("http://127.0.0.1:8000")
    (shown,) = re.findall(r"^```json\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    answer = await client.get(target)
    assert answer.status_code == 200
    assert part(json.loads(shown), answer.json()), answer.text


def test_the_table_of_settings_is_that_of_the_program() -> None:
    read = set(re.findall(r"read\(\"(CHOKEPOINT_\w+)\"", Path(settings.__file__).read_text(encoding="utf-8")))
    told = set(re.findall(r"^\| `(CHOKEPOINT_\w+)`", README, re.MULTILINE))
    assert told == read | {"CHOKEPOINT_SECRET"}


def test_every_path_in_it_is_answered() -> None:
    paths = set(re.findall(r"`(/(?:v1|health|metrics|openapi|docs)[^`?]*)`", README))
    assert {"/v1/scores", "/docs"} <= paths
    described = paths - {"/v1", "/docs", "/openapi.json", "/v1/methods/partner-adjusted"}
    assert described <= set(openapi()["paths"])


def test_every_folder_and_file_in_it_is_there() -> None:
    named = re.findall(r"^    ([a-z]+/(?:[a-z]+/)*)  ", README, re.MULTILINE) + re.findall(r"\]\(([^)]+)\)", README)
    assert "service/risk/" in named
    for name in named:
        assert (ROOT / name).exists(), name
