"""Text in a cell of CSV that a spreadsheet would run as a formula, written so that it does not, and read back.

As OWASP advises against CSV injection, an apostrophe goes before such text: where it begins with `=`, `+`, `-`, `@`,
one of their full-width forms, a tab or a line end, in the cell or after a `;`, which some spreadsheets split at. Text
that begins with apostrophes and then one of these gets one more, so nothing is lost: taking one apostrophe away
wherever one could have been added gives back what was written. Numbers are never touched.
"""

from __future__ import annotations

import re

_START = r"(^|;)"
_FORMULA = r"('*[=+\-@\t\r\n＝＋－＠])"
_PLAIN, _MARKED = re.compile(_START + _FORMULA), re.compile(_START + "'" + _FORMULA)


def marked(text: str) -> str:
    """The text as no spreadsheet takes it for a formula."""
    return _PLAIN.sub(r"\1'\2", text)


def unmarked(text: str) -> str:
    """The text that was marked; any other stays as it is."""
    return _MARKED.sub(r"\1\2", text) if "'" in text else text
