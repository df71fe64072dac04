"""Opening a file that somebody hands in: text, or text compressed with gzip, bounded in what it may unpack to."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple

from service.intake.problems import Problem, Unreadable

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

LARGEST: Final = 2 * 1024**3
"""Bytes a compressed file may unpack to; a year of BACI, the largest published table, has under 0.5 GiB."""

GREATEST_RATIO: Final = 200
RATIO_FROM: Final = 4 * 1024**2
"""How many bytes one compressed byte may stand for, once RATIO_FROM are unpacked. Tables reach 5 to 30, bombs 1,000."""

SIP: Final = 8 * 1024
"""How many bytes are read at a time of what is compressed: RATIO_FROM is compared with what has been read so far."""

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_TEXT = "CSV text, or CSV text compressed with gzip"
HERE: Final = 0
"""The line of a Problem met while unpacking: whoever counts the lines knows which one it is."""


class Opened(NamedTuple):
    """A file open for reading, unpacked; `position` tells how far into the file itself the reading has come."""

    file: BinaryIO
    position: Callable[[], int]


@contextmanager
def opened(path: Path) -> Iterator[Opened]:
    """The bytes of a file. Raises Unreadable for what cannot be a table, there and while it is read."""
    with path.open("rb") as raw:
        start = raw.read(len(_ZIP))
        raw.seek(0)
        if not start:
            raise Unreadable(Problem(1, "", "an empty file", _TEXT))
        if start == _ZIP:
            raise Unreadable(Problem(1, "", "a zip archive or a workbook", _TEXT))
        yield Opened(io.BufferedReader(_Unpacked(raw)) if start.startswith(_GZIP) else raw, raw.tell)


class _Sips:
    """A file that gives a little at a time; gzip itself would read 128 KiB ahead, from Python 3.12 on."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self.seek = raw.seek

    def read(self, size: int) -> bytes:
        """The next bytes, hardly ever as many as asked for."""
        return self._raw.read(min(size, SIP))


class _Unpacked(io.RawIOBase):
    """What a gzip file holds, refused as soon as it is more than a table can be."""

    def __init__(self, raw: BinaryIO) -> None:
        self._raw = raw
        self._gzip = gzip.GzipFile(fileobj=_Sips(raw), mode="rb")
        self._unpacked = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Unpacks the next bytes into a buffer."""
        view = memoryview(buffer)
        try:
            data = self._gzip.read(len(view))
        except (EOFError, OSError, zlib.error) as error:
            raise Unreadable(Problem(HERE, "", "", f"a whole gzip file ({error})")) from error
        self._unpacked += len(data)
        if self._unpacked > LARGEST:
            raise Unreadable(Problem(HERE, "", "", f"a file that unpacks to at most {LARGEST:,} bytes"))
        if self._unpacked > RATIO_FROM and self._unpacked > GREATEST_RATIO * self._raw.tell():
            raise Unreadable(Problem(HERE, "", "", f"a file that unpacks to at most {GREATEST_RATIO} times its size"))
        view[: len(data)] = data
        return len(data)
