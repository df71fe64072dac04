"""Everything the contract says can be asked, for tests that try all of it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from service.app import openapi


class Operation(NamedTuple):
    """One operation of the contract with an example for each parameter that it needs."""

    id: str
    method: str
    template: str
    path: str
    query: dict[str, str]
    parameters: tuple[dict[str, Any], ...]
    security: list[dict[str, list[str]]] | None

    def path_with(self, name: str, value: str) -> str:
        """The path with a value, already escaped, in the place of one parameter."""
        return filled(
            self.template, {p["name"]: example(p) for p in self.parameters if p["in"] == "path"} | {name: value}
        )


def example(parameter: dict[str, Any]) -> str:
    """An example of a parameter, or a number where it has none."""
    found = [entry["value"] for entry in parameter.get("examples", {}).values()]
    return str(found[0]) if found else "1"


def filled(template: str, values: dict[str, str]) -> str:
    """A path with values for its parameters."""
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template


@cache
def operations() -> list[Operation]:
    """All operations but HEAD, which is GET."""
    return [
        _operation(path, method, told)
        for path, item in openapi()["paths"].items()
        for method, told in item.items()
        if method != "head"
    ]


def _operation(path: str, method: str, told: dict[str, Any]) -> Operation:
    parameters = tuple(told.get("parameters", ()))
    values = {p["name"]: example(p) for p in parameters if p["in"] == "path"}
    query = {p["name"]: example(p) for p in parameters if p["in"] == "query" and p["required"]}
    return Operation(
        told["operationId"], method.upper(), path, filled(path, values), query, parameters, told.get("security")
    )


def strings_in(schema: dict[str, Any], where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every simple value within what a schema describes, by its place, references followed."""
    schema = resolved(schema)
    for branch in (*schema.get("oneOf", ()), *schema.get("anyOf", ())):
        yield from strings_in(branch, where)
    kinds = schema.get("type", [])
    kinds = kinds if isinstance(kinds, list) else [kinds]
    if "object" in kinds:
        for name, each in schema.get("properties", {}).items():
            yield from strings_in(each, f"{where}/{name}")
        if isinstance(schema.get("additionalProperties"), dict):
            yield from strings_in(schema["additionalProperties"], f"{where}/*")
    if "array" in kinds:
        yield from strings_in(schema["items"], f"{where}/[]")
    yield where, schema


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema, looked up if it is a reference."""
    if "$ref" in schema:
        found: dict[str, Any] = openapi_schemas()[schema["$ref"].rpartition("/")[2]]
        return found
    return schema


@cache
def openapi_schemas() -> dict[str, Any]:
    """The schemas of the contract by name."""
    schemas: dict[str, Any] = openapi()["components"]["schemas"]
    return schemas


@cache
def bodies() -> dict[str, dict[str, Any]]:
    """The schema of each JSON body, by operation."""
    return {
        told["operationId"]: told["requestBody"]["content"]["application/json"]["schema"]
        for item in openapi()["paths"].values()
        for told in item.values()
        if "application/json" in told.get("requestBody", {}).get("content", {})
    }
