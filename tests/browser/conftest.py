"""A real Chromium against a real server in this process. Every page opened must be free of script and policy errors."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from browser import axe
from browser.clinic import Clinic, listening, open_clinic
from browser.people import Staff
from browser.scenes_workbench import fresh
from browser.windows import PATIENCE_MS, Windows
from conftest import ROOT
from flask import Flask
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, expect
from usher_engine import Engine
from usher_engine.definitions import read_folder

NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
CHROMIUM = os.environ.get("CHROMIUM") or next((path for path in map(shutil.which, NAMES) if path), None)
HERE = Path(__file__).parent

expect.set_options(timeout=PATIENCE_MS)


#: Long enough to be shared out among the workers, though each of them opens a clinic for it.
SHARED_OUT = "test_accessible"


@pytest.hookimpl(tryfirst=True)  # pytest-xdist reads the groups in the same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if item.path.stem != SHARED_OUT:
                item.add_marker(pytest.mark.xdist_group(item.path.stem))


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    """The system's Chromium where there is one, otherwise the one `playwright install chromium` brought."""
    quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    small = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"]
    own = {"executable_path": CHROMIUM} if CHROMIUM else {}
    return {**browser_type_launch_args, **own, "args": quiet + small}


# small pages of our own


@pytest.fixture
def serve() -> Iterator[Callable[[Flask], str]]:
    """Serve an application on a free port for the length of a test; answers its address."""
    with ExitStack() as running:

        def start(app: Flask) -> str:
            server = running.enter_context(listening())
            server.app = app
            return f"http://127.0.0.1:{server.server_port}"

        yield start


@pytest.fixture
def live(app: Flask, serve: Callable[[Flask], str]) -> str:
    """The address of the test's `app`."""
    return serve(app)


@pytest.fixture
def visit(page: Page, live: str) -> Callable[[str], Page]:
    """Open an address of the live server and wait until the page is marked as ready."""

    def go(path: str) -> Page:
        page.goto(live + path)
        page.wait_for_selector("body[data-ready]")
        return page

    return go


# the whole product


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """The running product, one for each module: every test brings its own patients."""
    with open_clinic(tmp_path_factory.mktemp("clinic")) as opened:
        yield opened


@pytest.fixture(scope="module")
def windows(clinic: Clinic, browser: Browser) -> Iterator[Windows]:
    kept = Windows(browser, clinic)
    yield kept
    kept.close()


@pytest.fixture
def desk(windows: Windows, watch: Callable[[Page], Page]) -> Iterator[Callable[..., Page]]:
    """A window of its own: `desk("alice")` is signed in, `desk()` is anybody, a patient for example."""
    yield lambda name=None, **wishes: watch(windows.take(name, **wishes))
    windows.give_back()


@pytest.fixture
def engine(clinic: Clinic) -> Engine:
    """The clinic's engine, the enrolment without a draft."""
    fresh(clinic)
    return clinic.enrollment.engine


@pytest.fixture
def ana(desk: Callable[..., Page]) -> Page:
    """The window of an analyst."""
    return desk("ana")


@pytest.fixture
def shipped(clinic: Clinic, desk: Callable[..., Page]) -> Page:
    """The window of an analyst; the draft of the enrolment is as it ships, whatever is in force by now."""
    fresh(clinic, package=read_folder(ROOT / "processes" / "enrollment"))
    return desk("ana")


@pytest.fixture
def alice(desk: Callable[..., Page], clinic: Clinic) -> Staff:
    """At the front desk."""
    return Staff(desk("alice"), clinic)


# what holds on every page


@pytest.fixture
def watch() -> Iterator[Callable[[Page], Page]]:
    """Fails the test when a script of a watched page threw or the content security policy was broken."""
    problems: list[str] = []
    watched: list[Page] = []

    def threw(error: Error) -> None:
        problems.append(str(error))

    def wrote(message: ConsoleMessage) -> None:
        if _is_fault(message):
            problems.append(message.text)

    def over(page: Page) -> Page:
        page.on("pageerror", threw)
        page.on("console", wrote)
        watched.append(page)
        return page

    yield over
    for page in watched:
        page.remove_listener("pageerror", threw)
        page.remove_listener("console", wrote)
    assert problems == []


@pytest.fixture
def page(page: Page, watch: Callable[[Page], Page]) -> Page:
    return watch(page)


def _is_fault(message: ConsoleMessage) -> bool:
    # An answer of 4xx is logged by the browser as an error too; tests of refusals want exactly that answer.
    # bpmn-js 18 still asks diagram-js for the place of its menu in the old way.
    known = ("Failed to load resource", "ContextPad#getPad is deprecated")
    return message.type in ("error", "warning") and not any(words in message.text for words in known)


@pytest.fixture
def accessible() -> Callable[[Page], None]:
    """Fail with every rule axe finds broken on the page as it stands, and with anything cut off sideways."""

    def check(page: Page) -> None:
        assert axe.broken(page) == []
        assert not axe.moves_sideways(page), "the page moves sideways"

    return check


@pytest.fixture
def day_and_night(shot: Callable[[Page, str], None]) -> Callable[[Page, str], None]:
    """The same in the light and in the dark, on a page that shows no motion; a picture is kept of each."""

    def check(page: Page, name: str) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert axe.broken_since(page, scheme) == [], scheme
            shot(page, f"{name}-{scheme}")
        assert not axe.moves_sideways(page), "the page moves sideways"

    return check


@pytest.fixture
def shot(request: pytest.FixtureRequest) -> Callable[[Page, str], None]:
    """Keep a picture of a page when USHER_SHOTS names a folder; for people to look at."""
    folder = os.environ.get("USHER_SHOTS")

    def take(page: Page, name: str) -> None:
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)

    return take
