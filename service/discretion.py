"""Messages without what must never be told: API keys, and passwords in URLs."""

from __future__ import annotations

import logging
import re

_KEY = re.compile(r"\bcpk_([a-z2-7]{8})_\w{8,}", re.ASCII)
_PASSWORD = re.compile(r"\b([a-z+]+://[^\s:/@]*):[^\s@]+@", re.ASCII | re.IGNORECASE)


def discreet(text: str) -> str:
    """The text with a key as its id alone, and with `***` for the password in a URL."""
    if "cpk_" in text:
        text = _KEY.sub(r"cpk_\1_***", text)
    return _PASSWORD.sub(r"\1:***@", text) if "://" in text else text


class DiscreetFormatter(logging.Formatter):
    """Formats messages, tracebacks included, and keeps from each what must not be told."""

    def format(self, record: logging.LogRecord) -> str:
        """The message as it is printed."""
        return discreet(super().format(record))
