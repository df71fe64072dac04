"""The one home of error answers: every non-2xx is an RFC 9457 problem with a stable type."""

from __future__ import annotations

import errno
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, ValidationException
from litestar.openapi.datastructures import ResponseSpec

from schemas.problem import Fault, Problem
from service.discretion import discreet
from service.http.faults import faults_of

if TYPE_CHECKING:
    from litestar.types import ExceptionHandlersMap, Message

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


LONGEST_TEXT = 1_000
"""Characters of any one text in a problem: what is wrong may have been given at any length."""

MOST_FAULTS = 20
"""Faults that a problem lists, so that its size does not follow that of a senseless request."""


def shortened(text: str) -> str:
    """A text of at most LONGEST_TEXT characters, without keys: one may have been given where it does not belong."""
    text = discreet(text)
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _short(fault: Fault) -> Fault:
    texts = {name: value for name in fault.__struct_fields__ if isinstance(value := getattr(fault, name), str)}
    return msgspec.structs.replace(fault, **{name: shortened(text) for name, text in texts.items()})


class Refusal(Exception):
    """A request that is refused. Subclasses fix the status, the type, its title and how many faults are listed."""

    status: int = 400
    type: str = "invalid-request"
    title: str = "The request is not valid"
    most_faults: int = MOST_FAULTS

    def __init__(self, detail: str, *errors: Fault, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.problem = Problem(
            type=f"/problems/{self.type}",
            title=self.title,
            status=self.status,
            detail=shortened(detail),
            errors=[_short(fault) for fault in errors[: self.most_faults]],
        )
        self.headers = headers or {}


class UnknownParameter(Refusal):
    """A query parameter the resource does not have, or one given twice."""

    type, title = "unknown-parameter", "A query parameter is not known here"


class InvalidRequest(Refusal):
    """A parameter or body that does not say anything valid."""


class NotFound(Refusal):
    """A path, or a name in a path or parameter, that nothing answers to."""

    status, type, title = 404, "not-found", "Nothing is there under that name"


class Unavailable(Refusal):
    """Something that needs the database while it is away."""

    status, type, title = 503, "unavailable", "The database is away"

    def __init__(self, detail: str, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class Behind(Unavailable):
    """A revision that this process does not serve yet, while another may."""

    type, title = "behind", "This replica has not read that revision yet"

    def __init__(self, number: int, newest: int) -> None:
        super().__init__(f"revision {number} is not served here yet; the newest is {newest}", retry_after=1)


class Busy(Refusal):
    """More costly requests at once than one worker can work out soon."""

    status, type, title = 503, "busy", "Too many of these are being worked out"

    def __init__(self) -> None:
        super().__init__("ask again in a moment", headers={"Retry-After": "2"})


class OutOfMemory(Refusal):
    """What this worker has not the memory to work out now, and may have in a moment or another one has."""

    status, type, title = 503, "out-of-memory", "There is no memory left to work it out"


class OutOfSpace(Refusal):
    """A write for which the database's disk, or the one uploads are kept on, has no room (RFC 4918 §11.5)."""

    status, type, title = 507, "out-of-space", "There is no space left for it"


RENAMED = {413: "Content Too Large", 422: "Unprocessable Content"}
"""What RFC 9110 (§15.5) calls them, and Python only from 3.13 on: the contract must not depend on the version."""


def reason(status: int) -> str:
    """What a status is called."""
    return RENAMED.get(status) or HTTPStatus(status).phrase


def fault_in(parameter: str, detail: str) -> Fault:
    """A fault in a query or path parameter."""
    return Fault(detail=detail, parameter=parameter)


def responses(*statuses: int) -> dict[int, ResponseSpec]:
    """The documentation of problem answers for a route."""
    return {
        status: ResponseSpec(Problem, media_type=MEDIA_TYPE, generate_examples=False, description=reason(status))
        for status in statuses
    }


def _answer(problem: Problem, headers: dict[str, str] | None = None) -> Response[Any]:
    return Response(
        msgspec.json.encode(problem),
        status_code=problem.status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def messages(refusal: Refusal, more: list[tuple[bytes, bytes]], *, with_body: bool) -> list[Message]:
    """A refusal as the messages of an answer, for what refuses before the app is asked; `more` are header fields."""
    body = msgspec.json.encode(refusal.problem)
    fields = {"Content-Type": MEDIA_TYPE, "Content-Length": str(len(body)), "Cache-Control": "no-store"}
    headers = [(n.lower().encode(), v.encode()) for n, v in {**fields, **refusal.headers}.items()]
    start: Any = {"type": "http.response.start", "status": refusal.status, "headers": headers + more}
    content: Any = {"type": "http.response.body", "body": body if with_body else b""}
    return [start, content]


def _refused(_: Request[Any, Any, Any], error: Refusal) -> Response[Any]:
    return _answer(error.problem, error.headers)


def _raised(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    if isinstance(error, ValidationException):
        faults = faults_of(request, error)
        detail = "; ".join(f"{fault.parameter}: {fault.detail}" for fault in faults) or "the request is not valid"
        # a name in the path that no resource could have is a resource that is not there
        misnamed = bool(faults) and all(fault.parameter in request.path_params for fault in faults)
        return _answer((NotFound if misnamed else InvalidRequest)(detail, *faults).problem)
    if error.status_code >= 500:
        return _failed(request, error)
    called = reason(error.status_code)
    return _answer(
        Problem(
            type=f"/problems/{called.lower().replace(' ', '-')}",
            title=NotFound.title if error.status_code == HTTPStatus.NOT_FOUND else called,
            status=error.status_code,
            detail=_details(request, error),
        ),
        dict(error.headers or {}),
    )


def _details(request: Request[Any, Any, Any], error: HTTPException) -> str:
    if error.status_code == 404:
        return "no resource has this path; /openapi.json lists those there are"
    if error.status_code == 405:
        return f"this resource does not take {request.method}"
    return error.detail


def _failed(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.error("unhandled error on %r", request.scope["path"], exc_info=error)
    return _answer(
        Problem(
            type="/problems/internal-error",
            title="The service failed",
            status=500,
            detail="an unexpected error; it has been logged",
        )
    )


def _out_of_space(request: Request[Any, Any, Any], error: OSError) -> Response[Any]:
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return _failed(request, error)
    return _answer(OutOfSpace("the service has no space left to keep what was sent; nothing was written").problem)


def _out_of_memory(request: Request[Any, Any, Any], _: MemoryError) -> Response[Any]:
    log.error("out of memory on %r", request.scope["path"])
    refusal = OutOfMemory("ask again in a moment; of a write nothing is there", headers={"Retry-After": "2"})
    return _answer(refusal.problem, refusal.headers)


HANDLERS: ExceptionHandlersMap = {
    Refusal: _refused,
    HTTPException: _raised,
    MemoryError: _out_of_memory,
    OSError: _out_of_space,
    500: _failed,
}
