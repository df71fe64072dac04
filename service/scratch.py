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
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the name within is not to be guessed
"""Where Linux keeps files in memory."""


def mapped_place() -> Path:
    """Where files may live that are mapped into memory: on a disk that is full, writing to one ends the process."""
    return MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())


@contextlib.contextmanager
def scratch_folder(place: Path | None = None) -> Iterator[Path]:
    """A new folder, held by a lock that the kernel frees when this process ends; folders nobody holds are removed.

    `place` is where to make it, by default where the system has its temporary files.
    """
    place = place or Path(tempfile.gettempdir())
    for folder in place.glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), _held(folder):  # held by another service, another user's, or gone
            shutil.rmtree(folder)
    with contextlib.ExitStack() as stack:
        while True:
            folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
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
