"""The published contract: what the framework's own OpenAPI document leaves out of the Structs and of the reads."""

from __future__ import annotations

import ast
import inspect
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import msgspec
from litestar._openapi.schema_generation.plugins.struct import StructSchemaPlugin
from litestar.openapi.spec import (
    OpenAPIHeader,
    OpenAPIMediaType,
    OpenAPIResponse,
    OpenAPIType,
    Operation,
    RequestBody,
    Schema,
)

from service.http.minimum import PARAMETER as MINIMUM

if TYPE_CHECKING:
    from litestar._openapi.schema_generation import SchemaCreator
    from litestar.typing import FieldDefinition

_TEXT = Schema(type=OpenAPIType.STRING)


@cache
def attribute_docs(kind: type) -> dict[str, str]:
    """What a Struct says of its fields: the text after each, inherited fields included."""
    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if not issubclass(base, msgspec.Struct) or base is msgspec.Struct:
            continue
        (definition,) = ast.parse(dedent(inspect.getsource(base))).body
        assert isinstance(definition, ast.ClassDef)
        for field, text in pairwise(definition.body):
            match field, text:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(doc))):
                    docs[name] = inspect.cleandoc(doc)
    return docs


class StructPlugin(StructSchemaPlugin):
    """Struct schemas with the docstrings of class and fields, a lower bound of zero, and no unknown fields."""

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        """The schema of a Struct."""
        schema = super().to_openapi_schema(field_definition, schema_creator)
        info: Any = msgspec.inspect.type_info(field_definition.type_)
        schema.description = inspect.getdoc(info.cls)
        docs = attribute_docs(info.cls)
        properties: dict[str, Any] = schema.properties or {}
        if info.forbid_unknown_fields:  # what is asked: exact, so that whoever keeps to it is not refused
            schema.additional_properties = False
            for field in info.fields:
                _bound(properties[field.encode_name], field.type)
        for field in info.fields:
            told = properties[field.encode_name]
            told.description = docs.get(field.name, told.description)
            if _from_zero(field.type):  # the framework drops a bound that is 0
                told.minimum = 0
        return schema


_BOUNDS = {
    "pattern": "pattern",
    "ge": "minimum",
    "gt": "exclusive_minimum",
    "le": "maximum",
    "lt": "exclusive_maximum",
}
_SIZES: dict[Any, str] = {OpenAPIType.STRING: "length", OpenAPIType.ARRAY: "items", OpenAPIType.OBJECT: "properties"}


def _bound(schema: Any, kind: Any) -> None:
    """Gives the bounds of a type to what is said of it, however deep inside: the framework drops them within others."""
    if isinstance(kind, msgspec.inspect.Metadata):
        _bound(schema, kind.type)
    elif isinstance(kind, msgspec.inspect.UnionType):
        for branch, each in zip(schema.one_of or (), kind.types, strict=False):
            _bound(branch, each)
    elif isinstance(schema, Schema):
        size = _SIZES.get(schema.type, "length")
        names = {**_BOUNDS, "min_length": f"min_{size}", "max_length": f"max_{size}"}
        for name, told in names.items():
            if (bound := getattr(kind, name, None)) is not None:
                setattr(schema, told, bound)
        _bound(schema.items, getattr(kind, "item_type", None))
        _bound(schema.additional_properties, getattr(kind, "value_type", None))


def _from_zero(kind: Any) -> bool:
    return any(_from_zero(each) for each in getattr(kind, "types", ())) or getattr(kind, "ge", None) == 0


@dataclass
class ReadOperation(Operation):
    """A read: its parameters may be left out but not null."""

    def __post_init__(self) -> None:
        """Completes what the framework has filled in."""
        for parameter in self.parameters or []:
            if isinstance(schema := getattr(parameter, "schema", None), Schema):
                _without_null(schema)


@dataclass
class CachedOperation(ReadOperation):
    """A read whose answer has an ETag, and which answers 304 to whoever has it."""

    def __post_init__(self) -> None:
        """Completes what the framework has filled in."""
        super().__post_init__()
        self.parameters = [*(self.parameters or ()), MINIMUM]
        found = _success(self)
        found.headers = {
            "ETag": OpenAPIHeader(schema=_TEXT, description="Strong: the same value means the same bytes."),
            "Cache-Control": OpenAPIHeader(
                schema=_TEXT, description="`immutable` where the request fixes both `as_of` and `known_at`."
            ),
            **(found.headers or {}),
        }
        assert self.responses is not None
        self.responses["304"] = OpenAPIResponse(description="Not Modified: `If-None-Match` names the current ETag")


@dataclass
class ListOperation(CachedOperation):
    """A list, which also comes as CSV and as NDJSON."""

    def __post_init__(self) -> None:
        """Completes what the framework has filled in."""
        super().__post_init__()
        found = _success(self)
        found.content = {
            **(found.content or {}),
            "text/csv": OpenAPIMediaType(schema=_TEXT),
            "application/x-ndjson": OpenAPIMediaType(schema=_TEXT),
        }
        found.headers = {
            **(found.headers or {}),
            "X-Next-Cursor": OpenAPIHeader(
                schema=_TEXT, description="CSV and NDJSON: what JSON has as `next`; missing on the last page."
            ),
        }


def _success(operation: Operation) -> OpenAPIResponse:
    assert operation.responses is not None
    found = operation.responses["200"]
    assert isinstance(found, OpenAPIResponse)
    return found


def _without_null(schema: Schema) -> None:
    """Takes the null out of a parameter's schema: it may be left out, but there is no way to write null in a query."""
    branches = [branch for branch in schema.one_of or [] if getattr(branch, "type", None) != OpenAPIType.NULL]
    if len(branches) == 1 and isinstance(branches[0], Schema):
        schema.one_of, schema.type, schema.format = None, branches[0].type, branches[0].format
    if isinstance(schema.type, list):
        (schema.type,) = [kind for kind in schema.type if kind != OpenAPIType.NULL]
    if schema.enum:
        schema.enum = [value for value in schema.enum if value is not None]


def with_example(example: dict[str, Any]) -> type[Operation]:
    """The class of an operation whose request has a body: it shows this one."""

    @dataclass
    class Shown(ReadOperation):
        def __post_init__(self) -> None:
            super().__post_init__()
            self.parameters = [*(self.parameters or ()), MINIMUM]
            assert isinstance(self.request_body, RequestBody)
            for content in self.request_body.content.values():
                content.example = example

    return Shown
