"""The ledger's history: its revisions, and what changed since one of them."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, Response
from litestar.openapi.spec import Example
from litestar.params import PathParameter

from schemas.revisions import RevisionDetail, RevisionPage
from service.answers.changes import revision_info
from service.http.formats import PagingDependency, page, read_list, span
from service.http.reads import ViewDependency, WorldsDependency, answer, know_revision, read

Number = Annotated[int, PathParameter(ge=1, le=10**18, description="A revision's number.", examples=[Example(value=1)])]


class RevisionController(Controller):
    """Commits of the ledger."""

    path = "/v1/revisions"
    tags = ["history"]  # noqa: RUF012 - the framework reads a list

    @read_list("/", "list_revisions", summary="All revisions, newest first")
    async def revisions(
        self, worlds: WorldsDependency, view: ViewDependency, paging: PagingDependency
    ) -> Response[RevisionPage]:
        """Who wrote to the ledger, when, why, from which file, and how many rows of each kind."""
        numbers = range(view.world.revision, 0, -1)
        start, end = span(view, paging, len(numbers))
        asked = numbers[start:end]
        found = {r.id: r for r in await worlds.revisions(asked[-1], asked[0])} if asked else {}
        return page(view, paging, numbers, lambda number: revision_info(found[number]), "revisions")

    @read("/{revision:int}", "get_revision", summary="One revision")
    async def revision(
        self, worlds: WorldsDependency, view: ViewDependency, revision: Number
    ) -> Response[RevisionDetail]:
        """Who wrote this revision, when, why, from which file, and how many rows of each kind."""
        await know_revision(worlds, view, revision, "revision")
        (found,) = await worlds.revisions(revision, revision)
        return answer(view, RevisionDetail(**view.stamp, revision=revision_info(found)), "revision", revision)
