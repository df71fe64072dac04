"""What schemathesis cannot know of the contract."""

from __future__ import annotations

import re
from typing import Any

import schemathesis

from service.http.minimum import HEADER

FRAMING = frozenset(
    ("connection", "content-length", "expect", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade")
)
"""Header fields that say where a message ends and where it goes. The server itself answers to nonsense there, by a 400
without a body, before the program hears of it; the contract is not about them."""


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case, _kwargs: dict[str, Any]) -> None:
    """Demands the revision that is there where any is demanded: for one that is nowhere yet 503 is right. Leaves out
    header fields of framing that were made up."""
    for name in [name for name in case.headers or () if name.lower() in FRAMING]:
        del case.headers[name]
    if case.headers and re.fullmatch(r"[1-9]\d*", str(case.headers.get(HEADER, "")), re.ASCII):
        case.headers[HEADER] = "1"
