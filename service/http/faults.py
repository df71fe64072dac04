"""What is wrong with the parameters of a request, told by what each of them takes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import inspect, structs

from schemas.problem import Fault
from service.wanted import fault

if TYPE_CHECKING:
    from litestar import Request
    from litestar.exceptions import ValidationException
    from litestar.handlers import BaseRouteHandler

_MISSING = re.compile(r"Missing required (\w+) parameter '(\w+)'")


def faults_of(request: Request[Any, Any, Any], error: ValidationException) -> list[Fault]:
    """A fault for each parameter that the framework refuses; none where it does not say which."""
    if missing := _MISSING.match(error.detail):
        return [Fault(detail="is required", parameter=missing[2])]
    refused = [entry["key"] for entry in error.extra or () if isinstance(entry, dict) and "key" in entry]
    return [Fault(detail=_detail(request, name), parameter=name) for name in refused]


def _detail(request: Request[Any, Any, Any], name: str) -> str:
    given = request.path_params.get(name, request.query_params.get(name))
    kind = _kind_of(request.route_handler, name)
    return "is not valid" if kind is None or given is None else fault(inspect.type_info(kind), given)


def _kind_of(handler: BaseRouteHandler, name: str) -> Any:
    """The type of a parameter of a handler, or of what is provided to it; None if none of them has it."""
    providers = handler.resolve_dependencies().values()
    for model in (handler.signature_model, *(provider.signature_model for provider in providers)):
        for field in structs.fields(model):
            if field.name == name:
                return field.type
    return None
