"""What the commands of the program share."""

from __future__ import annotations

import contextlib

from service.embedded import shared
from service.settings import Settings


def database(settings: Settings) -> contextlib.AbstractContextManager[str]:
    """The URL of the database one command uses: the given one's, or that of the embedded one, running meanwhile."""
    return contextlib.nullcontext(settings.database_url) if settings.database_url else shared(settings.home)
