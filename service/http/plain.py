"""Scores asked for in plain terms, answered without the framework, whose steps cost more than a score's own.

Plain is a score by the default method of a mineral and a buyer that there are, for today or a day, be it by steps of a
ladder, of the newest revision, with nothing in it that would have to be decoded. Everything else, and whatever goes
wrong here, is the framework's to answer or refuse: it has the last word on what a question may look like.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any, Final

from service.http.lens import LADDER_LENGTH, LADDER_PATTERN
from service.http.reads import View, headers, messages
from service.http.scores import PATH, default_score

if TYPE_CHECKING:
    from collections.abc import Sequence

    from litestar.types import HTTPScope

    from service.http.fields import Finish
    from service.http.worlds import Worlds

TEMPLATE: Final = PATH.replace(":str", "")
"""The route's name, as the framework calls it."""

_BEFORE, _, _AFTER = TEMPLATE.partition("{mineral}")

_PLAIN = re.compile(rb"(?:buyer|as_of|ladder)=[\w.,:-]+(?:&(?:buyer|as_of|ladder)=[\w.,:-]+)*")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LADDER = re.compile(LADDER_PATTERN)


class Plain:
    """Answers plain questions from the newest World."""

    def __init__(self, worlds: Worlds, finishing: Sequence[Finish]) -> None:
        """`finishing` is done to whatever the framework sends, and so to what is sent instead."""
        self._worlds = worlds
        self._finishing = finishing

    def __call__(self, scope: HTTPScope) -> tuple[Any, Any] | None:
        """The answer's start and its body; None where it is the framework's to answer."""
        try:
            told = self._told(scope)
        except Exception:  # the framework comes to it as well, and knows how to tell of it
            return None
        for message in told or ():
            for finish in self._finishing:
                finish(message, scope)
        return told

    def _told(self, scope: HTTPScope) -> tuple[Any, Any] | None:
        path, query, world = scope["path"], scope["query_string"], self._worlds.newest
        if world is None or not (path.startswith(_BEFORE) and path.endswith(_AFTER) and _PLAIN.fullmatch(query)):
            return None
        pairs = [pair.split("=", 1) for pair in query.decode().split("&")]
        asked = dict(pairs)
        mineral, buyer = path[len(_BEFORE) : -len(_AFTER)], asked.get("buyer", "")
        known = mineral in world.minerals and (buyer in world.countries or buyer in world.blocs)
        if not known or len(asked) < len(pairs):
            return None
        ladder, day = asked.get("ladder"), asked.get("as_of")
        if ladder is not None and not (len(ladder) <= LADDER_LENGTH and _LADDER.search(ladder)):
            return None
        if day is not None and not _DAY.fullmatch(day):
            return None
        view = View(world, date.fromisoformat(day) if day else datetime.now(UTC).date(), pinned=False)
        content, *parts = default_score(view, mineral, buyer, ladder=ladder)
        return messages(content, headers(view, *parts))
