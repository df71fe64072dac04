"""A folder for what a running service keeps on disk: it goes with the service, or at a later start if it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PREFIX: Final = "chokepoint-run-"


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """A new folder, held by a lock that the kernel frees when this process ends; folders nobody holds are removed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _held(folder):  # held by another service, another user's, or gone
            shutil.rmtree(folder)
    with contextlib.ExitStack() as stack:
        while True:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            with contextlib.suppress(OSError):  # who starts at the same moment may have taken it for a leftover
                stack.enter_context(_held(folder))
                break
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield folder


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[None]:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder.stat()
        yield
    finally:
        os.close(handle)
