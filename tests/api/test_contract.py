"""The contract as it is published: committed, valid, complete, and true of the running application."""

from __future__ import annotations

import json
import re
from functools import cache
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from httpx import AsyncClient
from schemathesis.specs.openapi.definitions import OPENAPI_31

from service import contract
from service.app import openapi
from tests.evidence import mineral, share, source
from tests.serving import Service

SNAPSHOT = Path(__file__).resolve().parents[2] / "schemas" / "openapi.json"
DAY = {"as_of": "2026-02-05"}


@cache
def published() -> dict[str, Any]:
    return openapi()


@pytest.fixture
def document() -> dict[str, Any]:
    return published()


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    """Every operation as path, method and what is said of it."""
    return [(path, method, told) for path, item in document["paths"].items() for method, told in item.items()]


def everything(part: Any) -> list[Any]:
    """A part of the document and all parts within it."""
    inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return [part, *chain.from_iterable(map(everything, inner))]


def complaints(validator: Any, value: Any) -> list[str]:
    """Where a value is not what its schema says, and how."""
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(value)]


def test_the_committed_contract_is_the_published_one() -> None:
    """After a wanted change: python -m service.contract > schemas/openapi.json"""
    assert SNAPSHOT.read_text(encoding="utf-8") == contract.text()


async def test_the_application_publishes_it(client: AsyncClient, document: dict[str, Any]) -> None:
    answer = await client.get("/openapi.json")
    assert (answer.status_code, answer.json()) == (200, document)
    assert answer.headers["content-type"] == "application/vnd.oai.openapi+json"


def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    problems = [
        f"{e.instance_path}: {e.message}" for e in jsonschema_rs.validator_for(OPENAPI_31).iter_errors(document)
    ]
    assert problems == []


def test_every_schema_in_it_is_valid(document: dict[str, Any]) -> None:
    """JSON Schema 2020-12, and every reference leads somewhere."""
    for name, schema in document["components"]["schemas"].items():
        jsonschema_rs.meta.validate(schema)
        assert schema["title"], name
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert {part["$ref"] for part in everything(document) if isinstance(part, dict) and "$ref" in part} <= known


def test_operation_ids_are_there_and_unique(document: dict[str, Any]) -> None:
    """Generated clients take their names from them."""
    ids = [told["operationId"] for _, _, told in operations(document)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", name) for name in ids)


def test_operation_ids_stay(document: dict[str, Any]) -> None:
    """Within /v1 the contract only grows: none of these is ever renamed or dropped."""
    promised = {
        "get_score": "/v1/minerals/{mineral}/score",
        "list_scores": "/v1/scores",
        "list_minerals": "/v1/minerals",
        "get_mineral": "/v1/minerals/{mineral}",
        "list_agreements": "/v1/agreements",
        "get_agreement": "/v1/agreements/{agreement}",
        "list_restrictions": "/v1/restrictions",
        "get_restriction": "/v1/restrictions/{restriction}",
        "list_countries": "/v1/countries",
        "get_country": "/v1/countries/{country}",
        "list_blocs": "/v1/blocs",
        "get_bloc": "/v1/blocs/{bloc}",
        "list_sources": "/v1/sources",
        "get_source": "/v1/sources/{source}",
        "list_methods": "/v1/methods",
        "get_method": "/v1/methods/{method}",
        "get_liveness": "/health/live",
        "get_readiness": "/health/ready",
        "get_metrics": "/metrics",
    }
    published = {told["operationId"]: path for path, method, told in operations(document) if method == "get"}
    assert promised.items() <= published.items()
    for path in promised.values():
        assert "head" in document["paths"][path]


def test_every_operation_says_what_it_does_and_which_errors_it_has(document: dict[str, Any]) -> None:
    for path, method, told in operations(document):
        assert told["summary"], (path, method)
        assert told["description"], (path, method)
        assert told["tags"], (path, method)
        for status, answer in told["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (path, method, status)


def test_every_parameter_is_described_and_never_null(document: dict[str, Any]) -> None:
    """A parameter may be left out; a query has no way to say null."""
    for path, _, told in operations(document):
        for parameter in told.get("parameters", ()):
            assert parameter["description"], (path, parameter["name"])
            assert "null" not in json.dumps(parameter["schema"]), (path, parameter["name"])


def test_the_schema_says_what_its_fields_mean(document: dict[str, Any]) -> None:
    """The docstrings of the Structs are the documentation of the wire."""
    schemas = document["components"]["schemas"]
    assert schemas["StageScore"]["properties"]["risk_concentration"]["minimum"] == 0
    assert schemas["Score"]["properties"]["score"]["description"].startswith("60 means")
    assert schemas["Problem"]["description"] == "An error, as `application/problem+json` (RFC 9457)."
    assert all(schema["description"] for schema in schemas.values())


def test_lists_document_every_format_and_cached_reads_their_304(document: dict[str, Any]) -> None:
    for path, method, told in operations(document):
        if any(p["name"] == "cursor" for p in told.get("parameters", ())):
            kinds = {"application/json", "text/csv", "application/x-ndjson"}
            assert set(told["responses"]["200"]["content"]) == kinds, (path, method)
        assert ("304" in told["responses"]) == ("ETag" in told["responses"]["200"].get("headers", {}))


async def test_every_example_is_a_question_that_is_answered(client: AsyncClient, read: Any) -> None:
    """Each documented example alone, every pair of them and all together."""
    optional = list(read.optional.items())
    for chosen in (*combinations(optional, 1), *combinations(optional, 2), tuple(optional)):
        answer = await client.get(read.path, params=read.needed | dict(chosen))
        assert answer.status_code == 200, (answer.request.url, answer.text)


def test_no_example_is_made_up_by_chance(document: dict[str, Any]) -> None:
    """No generator fills them in: every example fits where it stands, and the next document has the same."""
    for part in everything(document["components"]):
        if isinstance(part, dict) and isinstance(part.get("examples"), list):
            schema = part | {"components": document["components"]}
            for example in part["examples"]:
                assert jsonschema_rs.is_valid(schema, example), (part, example)
    assert openapi() == document


@cache
def validator(name: str) -> jsonschema_rs.Validator:
    """What checks a value against one of the contract's schemas, date formats included."""
    return jsonschema_rs.Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": published()["components"]}, validate_formats=True
    )


async def test_every_answer_is_what_its_schema_says(client: AsyncClient, read: Any) -> None:
    answer = await client.get(read.path, params=read.needed)
    declared = read.responses["200"]["content"]
    if "application/json" in declared:
        reference = declared["application/json"]["schema"]["$ref"]
        told = validator(reference.rpartition("/")[2])
        assert complaints(told, answer.json()) == []
        assert unsaid(answer.json(), reference) == []


def unsaid(value: Any, reference: str) -> list[str]:
    """The fields of an answer that its schema does not mention; JSON Schema allows them, we do not."""
    properties = published()["components"]["schemas"][reference.rpartition("/")[2]]["properties"]
    return sorted(set(value) - set(properties))


@pytest.mark.parametrize("buyer", ["USA", "CHN", "EU", "FORGE"])
@pytest.mark.parametrize("day", ["2026-02-05", "2020-06-30", "1900-01-01", "2100-01-01"])
async def test_every_score_is_what_its_schema_says(client: AsyncClient, buyer: str, day: str) -> None:
    """For every mineral, with and without data, on days before, within and after what is known."""
    for item in (await client.get("/v1/minerals?limit=1000")).json()["items"]:
        answer = await client.get(f"/v1/minerals/{item['id']}/score", params={"buyer": buyer, "as_of": day})
        assert answer.status_code == 200, answer.text
        assert complaints(validator("Score"), answer.json()) == []


async def test_a_stage_of_which_everything_is_withheld_is_what_its_schema_says(service: Service) -> None:
    """A source may name suppliers without printing a single share."""
    rows = [
        source(),
        mineral("secretium"),
        share("secretium", "CHN", None, qualifier="withheld"),
        share("secretium", "USA", None, qualifier="withheld"),
    ]
    await service.write(rows)
    told = await service.get("/v1/minerals/secretium/score", buyer="USA", **DAY)
    assert complaints(validator("Score"), told) == []
    (stage,) = told["stages"]
    assert (stage["status"], stage["withheld"], stage["suppliers"]) == ("insufficient_data", ["CHN", "USA"], [])
