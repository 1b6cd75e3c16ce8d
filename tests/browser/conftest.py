"""A whole shop, started as a newcomer starts it, and people who look at it in a real browser."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from playwright.sync_api import Error as BrowserError, sync_playwright

from deploy.engines.ports import free_port

ROOT = Path(__file__).parents[2]
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_SECONDS_MAX = 120
STOP_SECONDS_MAX = 30
WAIT_MS_MAX = 15_000


def pytest_collection_modifyitems(items):
    folder = Path(__file__).parent
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    for item in items:
        if folder in item.path.parents:
            item.add_marker(pytest.mark.browser)
            # The first test also waits for a whole shop to start.
            item.add_marker(pytest.mark.timeout(START_SECONDS_MAX + 120))
            if found is None:
                names = ", ".join(CHROMIUM_NAMES)
                item.add_marker(pytest.mark.skip(reason=f"no browser: none of {names} is there"))


class RunningShop:
    """The shop under test, by its `rialto` command."""

    def __init__(self, folder, process, log):
        self.folder = folder
        self.process = process
        self.log = log

    def rialto(self, *words):
        return subprocess.run(
            [sys.executable, "-m", "deploy", *words, "--data", self.folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=START_SECONDS_MAX,
            check=False,
        )

    def status(self):
        told = self.rialto("status", "--json")
        return json.loads(told.stdout) if told.stdout.startswith("{") else {"running": False}

    @property
    def url(self):
        return self.status()["url"]

    def wait_ready(self):
        deadline = time.monotonic() + START_SECONDS_MAX
        status = {}
        while time.monotonic() < deadline:
            status = self.status()
            states = [process["state"] for process in status.get("processes", ())]
            if status["running"] and len(states) >= 6 and set(states) == {"ready"}:
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.2)
        pytest.fail(f"the shop did not start: {status}\n{self.log.read_text()}")


@pytest.fixture(scope="session")
def shop(scratch_folder):
    """A `RunningShop` with the seed in it."""
    folder = scratch_folder / "a shop"
    log = scratch_folder / "shop.log"
    with log.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-m", "deploy", "up", "--data", folder, "--port", str(free_port())],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=told,
        )
    running = RunningShop(folder, process, log)
    try:
        running.wait_ready()
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_SECONDS_MAX)


@pytest.fixture(scope="module")
def chromium(shop):
    """A browser; of one module only, because its driver keeps an event loop for itself."""
    path = next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


class Visitor:
    """Somebody with a browser of their own: cookies, tabs, and what went wrong in them."""

    def __init__(self, context, url):
        self.context = context
        self.url = url
        self.complaints = []

    def sign_in(self, number):
        """Come in as the demo user of this number; return who that is."""
        answer = self.context.request.post(f"{self.url}/v1/sessions/demo", data={"user": number})
        assert answer.ok, answer.text()
        return answer.json()["user"]

    def get(self, path):
        return self.context.request.get(f"{self.url}{path}").json()

    def patch(self, path, body):
        """Change something, as a page of the shop would."""
        answer = self.context.request.patch(
            f"{self.url}{path}", data=body, headers={"origin": self.url}
        )
        assert answer.ok, answer.text()
        return answer.json()

    def tab(self, path):
        """Open a page in a new tab and wait until it is live, if somebody is signed in."""
        page = self.context.new_page()
        page.set_default_timeout(WAIT_MS_MAX)
        page.on("console", self._listen)
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        page.goto(f"{self.url}{path}", wait_until="load")
        if page.locator("#bell").count():
            page.locator("html[data-live=open]").wait_for(state="attached")
        return page

    def forgive(self, text):
        """Drop the complaints that a test brought about itself."""
        self.complaints = [complaint for complaint in self.complaints if text not in complaint]

    def _listen(self, message):
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.location.get('url')}: {message.text}")


@pytest.fixture
def visit(chromium, shop):
    """Give each caller a `Visitor`; afterwards nothing may have gone wrong in any tab."""
    visitors = []

    def come(**options):
        context = chromium.new_context(locale="en-GB", timezone_id="Europe/Rome", **options)
        visitors.append(Visitor(context, shop.url))
        return visitors[-1]

    yield come
    complaints = [complaint for visitor in visitors for complaint in visitor.complaints]
    for visitor in visitors:
        try:
            visitor.context.close()
        except BrowserError as error:
            complaints.append(str(error))
    assert complaints == []
