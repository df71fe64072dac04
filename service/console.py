"""What the commands of the program share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from service.embedded import shared
from service.settings import Access, Settings


@contextlib.contextmanager
def ledger(settings: Settings) -> Iterator[Access]:
    """How one command gets at the ledger: as the settings say, or as the embedded one's owner while that runs."""
    if settings.access is not None:
        yield settings.access
        return
    with shared(settings.home) as dsn:
        yield Access(read=dsn, write=dsn, own=dsn)
