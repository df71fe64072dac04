"""The secret API keys are hashed with, where the operator leaves it to us: a file in the home folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from service.settings import SHORTEST_SECRET, OperatorError, Secret

if TYPE_CHECKING:
    from service.settings import Settings


class SecretError(OperatorError):
    """There is no secret, or none that can be used."""


def secret_of(settings: Settings) -> Secret:
    """The secret of the settings, or the embedded Postgres' own, made now if there is none. Raises SecretError.

    A Postgres named by CHOKEPOINT_DATABASE_URL may serve several machines, which have to agree on one secret; so for it
    none is made.
    """
    if settings.secret is not None:
        return settings.secret
    if settings.database_url is not None:
        raise SecretError("API keys need CHOKEPOINT_SECRET, the same wherever CHOKEPOINT_DATABASE_URL is")
    try:
        return _kept_in(settings.home / "secret")
    except OSError as error:
        raise SecretError(f"the secret in {settings.home} cannot be used: {error.strerror}") from error


def _kept_in(file: Path) -> Secret:
    file.parent.mkdir(parents=True, exist_ok=True)
    if not file.exists():
        _make(file)
    text = file.read_text(encoding="ascii").strip()
    if len(text) < SHORTEST_SECRET:
        raise SecretError(f"{file} does not hold a secret of {SHORTEST_SECRET} characters or more")
    return Secret(text.encode())


def _make(file: Path) -> None:
    """Makes the file, whole and for its owner alone; whoever comes first makes it."""
    descriptor, draft = tempfile.mkstemp(dir=file.parent, prefix="secret-")
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as out:
            out.write(secrets.token_urlsafe(32) + "\n")
        with contextlib.suppress(FileExistsError):
            os.link(draft, file)
    finally:
        Path(draft).unlink()
