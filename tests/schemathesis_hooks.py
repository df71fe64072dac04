"""What schemathesis cannot know of the contract."""

from __future__ import annotations

import re
from typing import Any

import schemathesis

from service.http.minimum import HEADER


@schemathesis.hook
def before_call(_: schemathesis.HookContext, case: schemathesis.Case, _kwargs: dict[str, Any]) -> None:
    """Demands the revision that is there where any is demanded: for one that is nowhere yet 503 is right."""
    if case.headers and re.fullmatch(r"[1-9]\d*", str(case.headers.get(HEADER, "")), re.ASCII):
        case.headers[HEADER] = "1"
