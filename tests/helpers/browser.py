"""Pages in headless Chromium, served from this machine."""

import contextlib
import functools
import http.server
import shutil
import threading
import time

import numpy as np
import pytest

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-dev-shm-usage --disable-background-networking "
    "--disable-component-update --disable-sync --no-first-run --disable-default-apps --mute-audio --force-color-profile=srgb"
)
# The elements that a screen reader could not name.
UNNAMED_ELEMENTS = """
const named = (e) => e.getAttribute('aria-label') || e.textContent || e.alt || e.labels?.length || e.getAttribute('aria-hidden');
return [...document.querySelectorAll('button,input,select,canvas,img')].filter((e) => !named(e)).map((e) => e.outerHTML);
"""


class _RecordingHandler(http.server.SimpleHTTPRequestHandler):
    requests: list[str] = []

    def log_message(self, *_):
        self.requests.append(self.path)


@contextlib.contextmanager
def serve_folder(folder):
    """The address of a folder's server, and the list of the paths that are requested."""
    requests: list[str] = []
    handler = type("Handler", (_RecordingHandler,), {"requests": requests})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def serve_explorer(run):
    """The context and the port of an explorer that runs on a port of its own."""
    import uvicorn

    from sparring.serve import server
    from sparring.serve.app import create_context
    from sparring.serve.model import ReloadingModel

    listener = server.bind_socket("127.0.0.1", 0)
    port = listener.getsockname()[1]
    context = create_context(run, server.list_host_names("127.0.0.1"), port, ReloadingModel(run, "cpu", 1))
    running = uvicorn.Server(server.make_uvicorn_config(context))
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not running.started:
        time.sleep(0.01)
    try:
        yield context, port
    finally:
        running.should_exit = True
        thread.join(10)
        context.compute_worker.close()
        context.io_worker.close()


@contextlib.contextmanager
def open_chromium(width=1200, height=1000):
    """A headless Chromium; skips the test where there is none."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    browser, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if browser is None or driver is None:
        pytest.skip("no chromium and chromedriver: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = browser
    for flag in [*FLAGS.split(), f"--window-size={width},{height}"]:
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    opened.set_script_timeout(20)
    try:
        yield opened
    finally:
        opened.quit()


def wait_for(browser, condition, seconds=30):
    """Wait until a JavaScript expression is true on the page."""
    from selenium.common.exceptions import TimeoutException
    from selenium.webdriver.support.ui import WebDriverWait

    try:
        WebDriverWait(browser, seconds, 0.05).until(
            lambda driver: driver.execute_script(f"return {condition}")
        )
    except TimeoutException:
        status = browser.execute_script("return document.querySelector('#status,#message')?.textContent")
        raise AssertionError(f"{condition}: {status} {browser.get_log('browser')}") from None


def wait_until(function, seconds=30.0):
    """The first true value of a function that is called again and again."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if value := function():
            return value
        time.sleep(0.05)
    raise AssertionError("timeout")


def console_messages(browser, level=None):
    """Messages on the browser's console, of all levels or of one."""
    return [entry["message"] for entry in browser.get_log("browser") if level in (None, entry["level"])]


def pixels(browser, canvas):
    """The pixels of a canvas, uint8 (h, w, 4)."""
    width, height, values = browser.execute_script(
        "const c = document.querySelector(arguments[0]);"
        "const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;"
        "return [c.width, c.height, Array.from(d)]",
        canvas,
    )
    return np.array(values, np.uint8).reshape(height, width, 4)


def psnr(one, other):
    """Peak signal-to-noise ratio of 8-bit images in dB; 99 for equal ones."""
    error = np.square(one.astype(float) - other.astype(float)).mean()
    return 99.0 if error == 0 else 10 * np.log10(255**2 / error)
