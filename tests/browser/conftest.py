"""A real Chromium against a real server in this process. Every page opened must be free of script and policy errors."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page
from werkzeug.serving import make_server

NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next((path for path in map(shutil.which, NAMES) if path), None)
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """The system's Chromium where there is one, otherwise the one `playwright install chromium` brought."""
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    small = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"]
    own = {"executable_path": CHROMIUM} if CHROMIUM else {}
    return {**browser_type_launch_args, **own, "args": quiet + small}


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Serve an application on a free port for the length of a test; answers its address."""
    running = []

    def start(app: Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        running.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in running:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def live(app: Flask, serve: Callable[[Flask], str]) -> str:
    """The address of the test's `app`."""
    return serve(app)


@pytest.fixture
def page(page: Page) -> Iterator[Page]:
    """A page that fails its test when a script threw or the content security policy was broken."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if _is_fault(message) else None)
    yield page
    assert problems == []


def _is_fault(message: object) -> bool:
    # An answer of 4xx is logged by the browser as an error too; tests of refusals want exactly that answer.
    return message.type == "error" and "Failed to load resource" not in message.text


@pytest.fixture
def visit(page: Page, live: str) -> Callable[[str], Page]:
    """Open an address of the live server and wait until the page says its scripts have run."""

    def go(path: str) -> Page:
        page.goto(live + path)
        page.wait_for_selector("body[data-ready]")
        return page

    return go


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Fail with every rule axe finds broken on the page as it stands, and with anything cut off sideways."""

    def check(page: Page) -> None:
        broken = Axe().run(page).response["violations"]
        assert [(rule["id"], [node["target"] for node in rule["nodes"]]) for rule in broken] == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "the page moves sideways"

    return check


@pytest.fixture
def shot(page: Page, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Keep a picture of the page when TEST_PICTURES names a folder; for people to look at."""
    folder = os.environ.get("TEST_PICTURES")

    def take(name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{request.node.name}-{name}.png", full_page=True)

    return take
