"""The documentation page works where nothing but this service can be reached."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from httpx import AsyncClient

FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "object": "data"}


class Page(HTMLParser):
    """What a browser fetches for a page, and the text of its scripts and styles."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.code = ""
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        address = dict(attrs).get(FETCHED.get(tag, ""))
        if address:
            self.fetched.append(address)

    def handle_data(self, data: str) -> None:
        if self._inside in ("script", "style"):
            self.code += data


@pytest.fixture(params=["/docs", "/"])
async def page(client: AsyncClient, request: pytest.FixtureRequest) -> Page:
    answer = await client.get(request.param)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")
    return Page(answer.text)


async def test_everything_the_page_fetches_is_this_services(client: AsyncClient, page: Page) -> None:
    """Script, style, icon: each is an absolute path, and each is there with its own type."""
    assert {address.rpartition(".")[2] for address in page.fetched} == {"js", "css", "png"}
    for address in page.fetched:
        assert re.match(r"/(?!/)", address), address
        answer = await client.get(address)
        assert answer.status_code == 200
        assert answer.headers["content-type"] in {
            "text/javascript; charset=utf-8",
            "text/css; charset=utf-8",
            "image/png",
        }
        assert len(answer.content) > 100


async def test_no_script_stands_in_the_page(page: Page) -> None:
    """Its policy forbids any, so nothing that found its way into the page could run."""
    assert page.code.strip() == ""


async def test_the_pages_own_script_fetches_the_contract_of_this_service(client: AsyncClient) -> None:
    script = (await client.get("/docs/assets/start.js")).text
    assert re.findall(r"url: \"(.*)\"", script) == ["/openapi.json"]
    assert "//" not in script


async def test_the_styles_fetch_nothing_at_all(client: AsyncClient, page: Page) -> None:
    """Pictures within a style sheet are written into it."""
    for address in page.fetched:
        if address.endswith(".css"):
            for target in re.findall(r"url\(\s*[\"']?([^)\"']+)", (await client.get(address)).text):
                assert target.startswith("data:"), target


async def test_a_file_that_is_not_the_pages_is_not_given_out(client: AsyncClient) -> None:
    for name in ("index.html", "..%2f..%2f__init__.py", "swagger-ui.css.map", "%2e%2e"):
        assert (await client.get(f"/docs/assets/{name}")).status_code == 404
