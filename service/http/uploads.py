"""Uploaded files: raw bodies and forms, stored for as long as it takes to work with them."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from litestar import Request
from litestar.datastructures import UploadFile

from service import importing
from service.http.problems import InvalidRequest, Refusal

RAW = ("text/csv", "application/gzip")
FORM = "multipart/form-data"

LARGEST_AID = 1024 * 1024
"""Bytes of what goes with a table, a map or a file of country codes; published ones have some thousands."""


class NotATable(Refusal):
    """A body that is declared as something else than a table."""

    status, type, title = 415, "not-a-table", "The body is not declared as a table"


class Upload(NamedTuple):
    """The files of a request, stored for as long as it takes to import them."""

    path: Path
    name: str | None
    corrections: dict[str, str]
    codes: Path | None


@asynccontextmanager
async def received(request: Request[Any, Any, Any]) -> AsyncIterator[Upload]:
    """The body's files, in a folder that is gone afterwards. Raises NotATable and InvalidRequest."""
    kind, _ = request.content_type
    if kind not in (*RAW, FORM):
        raise NotATable(f"send the file as {', '.join(RAW)} or {FORM}")
    with TemporaryDirectory(prefix="chokepoint-import-") as name:
        folder = Path(name)
        if kind == FORM:
            yield await _parts(request, folder)
            return
        path = folder / "file"
        with path.open("wb") as file:
            async for chunk in request.stream():
                file.write(chunk)
        yield Upload(path, None, {}, None)


async def _parts(request: Request[Any, Any, Any], folder: Path) -> Upload:
    form = await request.form()
    stored: dict[str, Path] = {}
    for part, value in form.multi_items():
        if part not in ("file", "map", "codes") or part in stored or not isinstance(value, UploadFile):
            raise InvalidRequest(f"the form's part {part!r} is not one file, called file, map or codes")
        stored[part] = folder / part
        await asyncio.to_thread(_store, value, stored[part])
        await value.close()
        if part != "file" and stored[part].stat().st_size > LARGEST_AID:
            raise InvalidRequest(f"the form's part {part!r} has more than {LARGEST_AID:,} bytes")
    if "file" not in stored:
        raise InvalidRequest("the form has no part called file")
    given = next(value for part, value in form.multi_items() if part == "file")
    corrections = await asyncio.to_thread(_corrections, stored["map"]) if "map" in stored else {}
    name = "".join(letter for letter in Path(given.filename).name if letter.isprintable())
    return Upload(stored["file"], name or None, corrections, stored.get("codes"))


def _store(upload: UploadFile, path: Path) -> None:
    with path.open("wb") as file:
        shutil.copyfileobj(upload.file, file)


def _corrections(path: Path) -> dict[str, str]:
    try:
        return importing.corrections(path)
    except ValueError as error:
        raise InvalidRequest(f"the form's part 'map': {error}") from error
