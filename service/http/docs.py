"""The documentation page: Swagger UI with every file from this service, so that it works on a closed network."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from litestar import Router
from litestar.openapi.plugins import OpenAPIRenderPlugin

if TYPE_CHECKING:
    from litestar import Request
    from litestar.routes import BaseRoute
    from litestar.types import ControllerRouterHandler

PATH = "/docs"
ASSETS_PATH = "/docs/assets"

_PAGE = f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Chokepoint</title>
<link rel="icon" type="image/png" href="{ASSETS_PATH}/favicon-32x32.png">
<link rel="stylesheet" href="{ASSETS_PATH}/swagger-ui.css">
<script src="{ASSETS_PATH}/swagger-ui-bundle.js" defer></script>
<script src="{ASSETS_PATH}/start.js" defer></script>
</head>
<body><div id="page"></div></body>
</html>
"""

_START = """\
SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  validatorUrl: null,
});
"""

_MEDIA_TYPES = {
    "start.js": "text/javascript",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}


class Pages(Router):
    """The router of the documentation page, without the framework's own catch-all page for unknown paths."""

    def register(self, value: ControllerRouterHandler) -> list[BaseRoute]:
        """Registers a page; the catch-all would answer unknown paths with HTML instead of a problem."""
        if "/{path:str}" in getattr(value, "paths", ()):
            return []
        return super().register(value)


class DocsPage(OpenAPIRenderPlugin):
    """The page. No script stands within it, so that it can forbid any."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """The page's HTML; its script fetches the contract."""
        return _PAGE.encode()


@cache
def asset(name: str) -> tuple[bytes, str]:
    """A file of the page and its media type. Raises KeyError for what is none."""
    media_type = _MEDIA_TYPES[name]
    if name == "start.js":
        return _START.encode(), media_type
    return (resources.files("swagger_ui") / "static" / name).read_bytes(), media_type
