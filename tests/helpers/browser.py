"""A page on a server of this machine, in a Chromium without a window."""

import contextlib
import functools
import http.server
import shutil
import threading

import numpy as np
import pytest

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking "
    "--disable-component-update --disable-sync --no-first-run --disable-default-apps --mute-audio --force-color-profile=srgb"
)


class _Silent(http.server.SimpleHTTPRequestHandler):
    asked: list[str] = []

    def log_message(self, *_):
        self.asked.append(self.path)


@contextlib.contextmanager
def served(folder):
    """The address of a folder, and the list of what is asked for."""
    asked: list[str] = []
    handler = type("Handler", (_Silent,), {"asked": asked})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def chromium(width=1200, height=1000, *more):
    """A Chromium without a window; skips where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    browser, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if browser is None or driver is None:
        pytest.skip("no chromium and chromedriver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in [*FLAGS.split(), f"--window-size={width},{height}", *more]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        yield opened
    finally:
        opened.quit()


def wait(browser, condition, seconds=30):
    """Wait for a condition on the page, in JavaScript."""
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.support.ui import WebDriverWait

    try:
        WebDriverWait(browser, seconds, 0.05).until(lambda found: found.execute_script(f"return {condition}"))
    except TimeoutException:
        said = browser.execute_script("return document.querySelector('#status')?.textContent")
        raise AssertionError(f"{condition}: {said} {browser.get_log('browser')}") from None


def pixels(browser, canvas):
    """What a canvas shows, uint8 (h, w, 4)."""
    width, height, values = browser.execute_script(
        "const c = document.querySelector(arguments[0]);"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return [c.width, c.height, Array.from(d)]",
        canvas,
    )
    return np.array(values, np.uint8).reshape(height, width, 4)


def psnr(one, other):
    error = np.square(one.astype(float) - other.astype(float)).mean()
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)
