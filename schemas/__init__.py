"""The wire contract: msgspec Structs, importable without the service.

`openapi.json` beside this file is the contract as the service publishes it.
"""

__version__ = "0.1.0"
"""The version of the contract and of the service that keeps it."""
