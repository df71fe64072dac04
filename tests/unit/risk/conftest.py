"""Where published tables to test against may lie, for the tests that can use them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def reference() -> Path:
    """The folder of published tables; a test that needs it is skipped where it is absent."""
    beside = Path(__file__).resolve().parents[4] / "shared" / "data"
    folder = Path(os.environ.get("CHOKEPOINT_REFERENCE_DATA") or beside)
    if not folder.is_dir():
        pytest.skip("no published tables here: set CHOKEPOINT_REFERENCE_DATA to their folder")
    return folder
