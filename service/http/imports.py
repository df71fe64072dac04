"""Writing over HTTP: files into the ledger, and revisions taken back. All of it needs a key with the scope `write`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from litestar import Controller, Request, Response, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.openapi.spec import Example, OpenAPIFormat, OpenAPIMediaType, OpenAPIType, RequestBody, Schema
from litestar.params import JSONBody, QueryParameter

from schemas.imports import (
    ImportReport,
    Misfit,
    Retraction,
    RetractionReport,
    UnreadableFile,
)
from schemas.text import STORABLE
from service import importing
from service.answers.changes import revision_info
from service.answers.imports import import_report
from service.http.bodies import body_of
from service.http.keys import SECURITY, caller_of, requires
from service.http.openapi import ReadOperation
from service.http.problems import MEDIA_TYPE, Busy, InvalidRequest, NotFound, Refusal, fault_in, responses
from service.http.reads import WorldsDependency
from service.http.revisions import Number
from service.http.uploads import FORM, RAW, received
from service.importing import Findings, NotPossible, Outcome
from service.importing.model import MOST_LISTED
from service.intake.formats import FORM as FORM_OF
from service.intake.formats import FORMATS
from service.store.ledger import LedgerError

if TYPE_CHECKING:
    from service.http.worlds import Worlds

LARGEST_FILE = 64 * 1024 * 1024
"""Bytes of an uploaded file, compressed or not."""

MOST_AT_ONCE = 4
"""Imports that one worker takes in at the same time: each has a file on disk, a connection and a thread."""

FormatName = Annotated[
    str,
    QueryParameter(
        description="What the file is. "
        + ". ".join(f"`{each.id}`: {each.description}" for each in FORMATS.values() if each.publication)
        + f". `{FORM_OF}KIND`: the project's own form for a kind of evidence, such as `{FORM_OF}agreement`.",
        max_length=80,
        examples=[Example(value="usgs-mcs")],
    ),
]
SourceName = Annotated[
    str | None,
    QueryParameter(
        description="The source the rows cite, if not the one the publication's edition goes by.", max_length=80
    ),
]
EditionName = Annotated[
    str | None, QueryParameter(description="The publication's edition, where the file does not tell it.", max_length=20)
]
Reason = Annotated[
    str | None,
    QueryParameter(pattern=STORABLE, description="Why; kept with the revision.", min_length=1, max_length=4000),
]
FileName = Annotated[
    str | None,
    QueryParameter(
        pattern=STORABLE,
        description="What the file is called, for the revision; a form says so itself.",
        min_length=1,
        max_length=200,
    ),
]
DryRun = Annotated[bool, QueryParameter(description="Change nothing, and tell what would change.")]
Buyers = Annotated[
    str,
    QueryParameter(
        pattern=r"^[A-Z][A-Z0-9-]{1,39}(,[A-Z][A-Z0-9-]{1,39}){0,9}$",
        description="Whose scores a dry run looks at: countries and blocs, joined by commas.",
    ),
]


class FileRefused(Refusal):
    """A file that is not as its format wants it."""

    status, type, title = 422, "unreadable-file", "The file has problems"
    most_faults = MOST_LISTED


class Conflict(Refusal):
    """What was asked for contradicts what the ledger says by now."""

    status, type, title = 409, "conflict", "The ledger says otherwise"


def _file(description: str) -> Schema:
    return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY, description=description)


@dataclass
class ImportOperation(ReadOperation):
    """An upload, whose body the framework knows nothing of."""

    def __post_init__(self) -> None:
        """Completes what the framework has filled in."""
        super().__post_init__()
        parts: dict[str, Any] = {
            "file": _file("The table."),
            "map": _file("CSV with the columns `printed,meant`: names that the ledger lacks."),
            "codes": _file("BACI's file of country codes, for that format."),
        }
        form = Schema(type=OpenAPIType.OBJECT, properties=parts, required=["file"])
        self.request_body = RequestBody(
            content={each: OpenAPIMediaType(schema=_file("The table.")) for each in RAW}
            | {FORM: OpenAPIMediaType(schema=form)},
            required=True,
            description=f"A table, as it is or compressed with gzip, of at most {LARGEST_FILE // 1024**2} MiB.",
        )


class ImportController(Controller):
    """Files into the ledger."""

    path = "/v1"
    tags = ["evidence"]  # noqa: RUF012 - the framework reads a list
    guards = [requires("write")]  # noqa: RUF012
    security = SECURITY

    def __init__(self, owner: Any) -> None:
        super().__init__(owner)
        self._taken_in = 0

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """A place among the imports of this worker. Raises Busy where there is none left."""
        if self._taken_in >= MOST_AT_ONCE:
            raise Busy
        self._taken_in += 1
        try:
            yield
        finally:
            self._taken_in -= 1

    @post(
        "/imports",
        operation_id="import_file",
        operation_class=ImportOperation,
        summary="Bring a file into the ledger",
        request_max_body_size=LARGEST_FILE,
        responses={
            200: ResponseSpec(
                ImportReport, generate_examples=False, description="Nothing was written: a dry run, or nothing is new"
            ),
            422: ResponseSpec(
                UnreadableFile, media_type=MEDIA_TYPE, generate_examples=False, description="The file has problems"
            ),
            **responses(400, 401, 403, 408, 409, 413, 415, 503, 507),
        },
    )
    async def import_file(
        self,
        request: Request[Any, Any, Any],
        worlds: WorldsDependency,
        format: FormatName,  # noqa: A002 - the parameter's public name
        source: SourceName = None,
        edition: EditionName = None,
        reason: Reason = None,
        name: FileName = None,
        dry_run: DryRun = False,
        buyers: Buyers = "USA,EU",
    ) -> Response[ImportReport]:
        """Reads a file as its publisher prints it, or in one of the project's own forms, into one new revision.

        All of it or nothing: where anything is wrong the answer lists every problem with line, column, value and what
        was expected, and nothing is changed. The same file twice makes no second revision. `dry_run` shows which rows
        would be added or changed, and which scores would move.
        """
        async with self._place(), received(request) as upload:
            asked = importing.Request(
                format=format,
                path=upload.path,
                name=name or upload.name or f"{format}.csv",
                author=_author(request),
                source=source,
                edition=edition,
                reason=reason,
                corrections=upload.corrections,
                codes=upload.codes,
                dry_run=dry_run,
                buyers=tuple(buyers.split(",")),
            )
            outcome = await _imported(worlds, asked)
        if outcome.findings.count:
            raise _refusal(asked.name, outcome.findings)
        written = outcome.revision is not None and not dry_run
        return Response(
            import_report(outcome, dry_run=dry_run),
            status_code=201 if written else 200,
            headers=_headers(outcome.revision.id if outcome.revision and written else None),
        )

    @post(
        "/revisions/{revision:int}/retraction",
        operation_id="retract_revision",
        operation_class=ReadOperation,
        summary="Take a revision back",
        before_request=body_of(Retraction),
        responses={
            200: ResponseSpec(
                RetractionReport, generate_examples=False, description="Nothing of the revision stands any more"
            ),
            **responses(400, 401, 403, 404, 408, 409, 413, 415, 503, 507),
        },
    )
    async def retract(
        self, request: Request[Any, Any, Any], worlds: WorldsDependency, revision: Number, data: JSONBody[Retraction]
    ) -> Response[RetractionReport]:
        """Undoes in a new revision what this one wrote, wherever nothing newer has replaced it.

        Both stay on record: asked with its own `known_at`, every answer stays what it was.
        """
        try:
            async with worlds.writing() as connection:
                written = await importing.retract(connection, revision, author=_author(request), reason=data.reason)
        except LookupError as error:
            raise NotFound(str(error), fault_in("revision", str(error))) from error
        except LedgerError as error:
            raise Conflict(str(error)) from error
        report = RetractionReport(
            status="written" if written else "unchanged", revision=revision_info(written) if written else None
        )
        return Response(report, status_code=201 if written else 200, headers=_headers(written.id if written else None))


def _author(request: Request[Any, Any, Any]) -> str:
    caller = caller_of(request)
    assert caller is not None  # the guard has seen to it
    return caller.author


def _headers(revision: int | None) -> dict[str, str]:
    location = {} if revision is None else {"Location": f"/v1/revisions/{revision}"}
    return {"Cache-Control": "no-store", **location}


async def _imported(worlds: Worlds, asked: importing.Request) -> Outcome:
    try:
        async with worlds.writing() as connection:
            return await importing.import_file(connection, asked)
    except NotPossible as error:
        raise InvalidRequest(str(error), fault_in(error.option, str(error))) from error
    except LedgerError as error:
        raise Conflict(str(error)) from error


def _refusal(name: str, findings: Findings) -> FileRefused:
    misfits = [
        Misfit(
            detail=f"expected {problem.expected}",
            line=problem.line,
            column=problem.column,
            value=problem.value,
            expected=problem.expected,
        )
        for problem in findings.problems
    ]
    return FileRefused(f"{name} has {findings.total}; nothing was changed", *misfits)
