"""The playground in headless Chromium: training by keyboard alone is drawn, and the console stays empty."""

import hashlib
import time
from pathlib import Path

import pytest

from tests.helpers.browser import (
    UNNAMED_ELEMENTS,
    console_messages,
    open_chromium,
    serve_explorer,
    wait_for,
)

STEP = "Number(document.querySelector('canvas.playground')?.dataset.step ?? -1)"
PIXELS = "return document.querySelector('canvas.playground').toDataURL()"
PLAY_LABEL = "document.querySelector('.play').textContent"
MAKE_SMALL = """
for (const [name, index] of [['Hidden width', 0], ['Batch size', 0], ['Steps per frame', 0]]) {
  const input = [...document.querySelectorAll('.slider')].find((one) => one.textContent.includes(name)).querySelector('input');
  input.value = index; input.dispatchEvent(new Event('input'));
}
"""
RESTART = "[...document.querySelectorAll('button')].find((one) => one.textContent === 'Restart').click()"
SELECT_PENALTY = """
const [name] = arguments, fields = [...document.querySelectorAll('.settings .field')];
const field = fields.find((one) => one.textContent.startsWith('Penalty'));
const select = field.querySelector('select');
select.value = name; select.dispatchEvent(new Event('change'));
"""
WEIGHT = """
const sliders = [...document.querySelectorAll('.slider')];
return sliders.find((one) => one.textContent.startsWith('Penalty weight')).querySelector('output').textContent;
"""


@pytest.fixture(scope="module")
def chromium():
    with open_chromium(1000, 900) as browser:
        yield browser


@pytest.fixture
def link(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with serve_explorer(Path("ring")) as (context, _):
        yield f"{context.address}/?token={context.session_store.create_token()}"


def test_playground_by_keyboard(chromium, link):
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    def press(key: str) -> None:
        ActionChains(chromium).send_keys(key).perform()

    def canvas_hash() -> str:
        return hashlib.sha256(chromium.execute_script(PIXELS).encode()).hexdigest()

    chromium.get(link)
    wait_for(chromium, f"{STEP} === 0")
    chromium.execute_script("document.activeElement.blur()")
    chromium.execute_script(MAKE_SMALL)
    assert chromium.execute_script("return document.querySelector('.settings').classList.contains('changed')")
    chromium.execute_script(RESTART)
    wait_for(chromium, "!document.querySelector('.settings').classList.contains('changed')")
    time.sleep(0.3)
    before = canvas_hash()
    press(Keys.ARROW_RIGHT)
    wait_for(chromium, f"{STEP} === 1")
    time.sleep(0.4)  # the points move smoothly to their new positions
    assert canvas_hash() != before
    press(Keys.SPACE)
    wait_for(chromium, f"{STEP} >= 6")
    assert chromium.execute_script(f"return {PLAY_LABEL}") == "Pause"
    press(Keys.SPACE)
    wait_for(chromium, f"{PLAY_LABEL} === 'Play'")
    time.sleep(0.3)  # a request may still be under way
    stopped = chromium.execute_script(f"return {STEP}")
    time.sleep(0.3)
    assert chromium.execute_script(f"return {STEP}") == stopped
    assert chromium.execute_script(UNNAMED_ELEMENTS) == []
    assert console_messages(chromium) == []


def test_penalty_gets_its_default_weight(chromium, link):
    chromium.get(link)
    wait_for(chromium, f"{STEP} === 0")
    for name, weight in (("gradient_penalty", "1"), ("none", "0"), ("historical_averaging", "0.1")):
        chromium.execute_script(SELECT_PENALTY, name)
        assert chromium.execute_script(WEIGHT) == weight
    chromium.execute_script(RESTART)
    wait_for(chromium, "!document.querySelector('.settings').classList.contains('changed')")
    assert console_messages(chromium) == []
