"""Prints the contract as the service publishes it: `python -m service.contract > schemas/openapi.json`."""

from __future__ import annotations

import json
import sys

from service.app import openapi


def text() -> str:
    """The OpenAPI document as it is committed in schemas/openapi.json."""
    return json.dumps(openapi(), indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Prints the document."""
    sys.stdout.write(text())


if __name__ == "__main__":
    main()
