"""The game in headless Chromium: by keyboard alone, a few frames are played and drawn, and nothing is said on the console."""

import hashlib
import threading
import time
from pathlib import Path

import pytest
import uvicorn

from sparring.serve import server
from sparring.serve.app import create_context
from sparring.serve.model import ReloadingModel

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
OPTIONS = "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking"
OPTIONS += " --disable-component-update --window-size=1000,900"
pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()), reason="no Chromium with its driver in /usr/bin"
)
STEP = "return Number(document.querySelector('canvas.arena')?.dataset.step ?? -1)"
PIXELS = "return document.querySelector('canvas.arena').toDataURL()"
WORDS = "return document.querySelector('.go').textContent"
SMALL = """
for (const [words, at] of [['Units a layer', 0], ['Points a move', 0], ['Steps a frame', 0]]) {
  const input = [...document.querySelectorAll('.slider')].find((one) => one.textContent.includes(words)).querySelector('input');
  input.value = at; input.dispatchEvent(new Event('input'));
}
const anew = [...document.querySelectorAll('button')].find((one) => one.textContent === 'Start anew');
anew.click();
"""
UNNAMED = """
const named = (e) => e.getAttribute('aria-label') || e.textContent || e.labels?.length;
return [...document.querySelectorAll('button,input,select,canvas')].filter((e) => !named(e)).map((e) => e.outerHTML);
"""


@pytest.fixture
def link(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    door, run = server.bind_socket("127.0.0.1", 0), Path("ring")
    here = create_context(
        run, server.list_host_names("127.0.0.1"), door.getsockname()[1], ReloadingModel(run, "cpu", 1)
    )
    served = uvicorn.Server(server.make_uvicorn_config(here))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    yield f"{here.address}/?token={here.session_store.create_token()}"
    served.should_exit = True
    thread.join(10)
    here.compute_worker.close()
    here.io_worker.close()


@pytest.fixture
def chromium():
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in OPTIONS.split():
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    yield driver
    driver.quit()


def until(found, seconds: float = 30.0):
    """What `found` gives, when it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("nothing came")


def test_the_game_is_played(chromium, create_token):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(key: str) -> None:
        ActionChains(chromium).send_keys(key).perform()

    def picture() -> str:
        return hashlib.sha256(chromium.execute_script(PIXELS).encode()).hexdigest()

    chromium.get(create_token)
    until(lambda: chromium.execute_script(STEP) == 0)
    chromium.execute_script("document.activeElement.blur()")
    chromium.execute_script(SMALL)
    until(lambda: "Changed" in chromium.page_source and chromium.execute_script(STEP) == 0)
    time.sleep(0.3)
    before = picture()
    press(Keys.ARROW_RIGHT)
    until(lambda: chromium.execute_script(STEP) == 1)
    time.sleep(0.4)  # the points have arrived
    assert picture() != before
    press(Keys.SPACE)
    until(lambda: chromium.execute_script(STEP) >= 6)
    assert chromium.execute_script(WORDS) == "Pause"
    press(Keys.SPACE)
    until(lambda: chromium.execute_script(WORDS) == "Play")
    time.sleep(0.3)  # what was under way has come
    stopped = chromium.execute_script(STEP)
    time.sleep(0.3)
    assert chromium.execute_script(STEP) == stopped
    assert chromium.execute_script(UNNAMED) == []
    assert [line["message"] for line in chromium.get_log("browser")] == []
