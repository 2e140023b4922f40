"""The page in headless Chromium: it opens, a slider changes the image, nothing is said on the console, nothing is blocked."""

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
OPTIONS += " --disable-component-update"
pytest.importorskip("selenium", reason="selenium is not installed")
pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()), reason="no Chromium with its driver in /usr/bin"
)


@pytest.fixture(scope="module")
def chromium():
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for option in [*OPTIONS.split(), "--window-size=1280,800"]:
        options.add_argument(option)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    driver.set_script_timeout(20)
    yield driver
    driver.quit()


@pytest.fixture
def link(picture_run):
    door = server.bind_socket("127.0.0.1", 0)
    port = door.getsockname()[1]
    here = create_context(
        picture_run, server.list_host_names("127.0.0.1"), port, ReloadingModel(picture_run, "cpu", 1)
    )
    here.model.warm_up()
    served = uvicorn.Server(server.make_uvicorn_config(here))
    thread = threading.Thread(target=served.run, kwargs={"sockets": [door]}, daemon=True)
    thread.start()
    yield f"{here.address}/?token={here.session_store.create_token()}"
    served.should_exit = True
    thread.join(10)
    here.compute_worker.close()
    here.io_worker.close()


PIXELS = "const c = document.querySelector('#inspector canvas.large'); return c && c.dataset.shown ? c.toDataURL() : ''"
UNNAMED = """
const named = (e) => e.getAttribute('aria-label') || e.textContent || e.alt || e.labels?.length || e.getAttribute('aria-hidden');
return [...document.querySelectorAll('button,input,select,canvas,img')].filter((e) => !named(e)).map((e) => e.outerHTML);
"""
MOVE = """const i = document.querySelector('#inspector .sliders input'); i.value = i.max; i.dispatchEvent(new Event('input'));"""


def until(found, seconds: float = 20.0):
    """What `found` gives, when it gives something."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("nothing came")


def test_the_page_is_used(chromium, create_token):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    chromium.get(create_token)
    tiles = until(lambda: chromium.find_elements(By.CSS_SELECTOR, ".wall .tile"))
    assert "token" not in chromium.current_url
    tiles[0].send_keys(Keys.ARROW_RIGHT)
    chromium.switch_to.active_element.send_keys(Keys.ENTER)  # by keyboard alone
    before = until(lambda: chromium.execute_script(PIXELS))
    assert "number 1" in chromium.find_element(By.CSS_SELECTOR, "#inspector .name").text
    until(lambda: chromium.find_elements(By.CSS_SELECTOR, "#inspector .sliders input"))
    chromium.execute_script(MOVE)
    until(lambda: chromium.execute_script(PIXELS) != before)
    for tab in chromium.find_elements(By.CSS_SELECTOR, "#tabs button"):
        chromium.execute_script("arguments[0].click()", tab)
        view = f"#view-{tab.get_attribute('data-id')}"
        until(lambda view=view: chromium.find_elements(By.CSS_SELECTOR, f"{view} *"))
    until(lambda: chromium.find_elements(By.CSS_SELECTOR, "#view-walk .film canvas"))
    until(lambda: chromium.find_elements(By.CSS_SELECTOR, ".doctor .mark"))
    assert chromium.execute_script(UNNAMED) == []
    assert [line["message"] for line in chromium.get_log("browser")] == []


def test_the_page_can_do_nothing_else(chromium, create_token):
    """The policy at work: markup from a string, a script in the page and a foreign host are all refused by the browser."""
    chromium.get(create_token)
    tries = """
    const done = arguments[0], seen = [];
    document.addEventListener('securitypolicyviolation', (event) => seen.push(event.effectiveDirective));
    try { document.body.innerHTML = '<img src=x onerror=alert(1)>'; seen.push('markup'); } catch (error) {}
    const script = document.createElement('script');
    try { script.textContent = 'window.pwned = 1'; document.head.append(script); } catch (error) {}
    fetch('http://127.0.0.1:9/').catch(() => 0).then(() => setTimeout(() => done([seen, window.pwned || 0]), 200));
    """
    seen, pwned = chromium.execute_async_script(tries)
    assert pwned == 0
    assert "markup" not in seen
    assert "connect-src" in seen
