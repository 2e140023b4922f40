"""The explorer in headless Chromium: a slider changes the image, every tab opens, the console stays empty, and the
content security policy is enforced.
"""

import pytest

from tests.helpers.browser import (
    UNNAMED_ELEMENTS,
    console_messages,
    open_chromium,
    serve_explorer,
    wait_for,
    wait_until,
)

PIXELS = "const c = document.querySelector('#inspector canvas.large'); return c && c.dataset.shown ? c.toDataURL() : ''"
MOVE_SLIDER = """
const input = document.querySelector('#inspector .sliders input');
input.value = input.max; input.dispatchEvent(new Event('input'));
"""
PRESS = """
const [name] = arguments, buttons = [...document.querySelectorAll('#inspector button')];
buttons.find((one) => one.textContent === name).click();
"""


@pytest.fixture(scope="module")
def chromium():
    with open_chromium(1280, 800) as browser:
        yield browser


@pytest.fixture
def link(image_run):
    with serve_explorer(image_run) as (context, _):
        context.model.warm_up()
        yield f"{context.address}/?token={context.session_store.create_token()}"


def test_explorer_by_keyboard(chromium, link):
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys

    def find_all(selector):
        return chromium.find_elements(By.CSS_SELECTOR, selector)

    chromium.get(link)
    tiles = wait_until(lambda: find_all(".samples .tile"))
    assert "token" not in chromium.current_url
    tiles[0].send_keys(Keys.ARROW_RIGHT)
    chromium.switch_to.active_element.send_keys(Keys.ENTER)
    before = wait_until(lambda: chromium.execute_script(PIXELS))
    assert "index 1" in chromium.find_element(By.CSS_SELECTOR, "#inspector .name").text
    wait_until(lambda: find_all("#inspector .sliders input"))
    chromium.execute_script(MOVE_SLIDER)
    wait_until(lambda: chromium.execute_script(PIXELS) != before)
    chromium.execute_script(PRESS, "Nearest training images")
    wait_until(lambda: len(find_all("#inspector .nearest img")) == 6)
    chromium.execute_script(PRESS, "Save")
    wait_until(lambda: find_all("#saved .tile"))
    for tab in find_all("#tabs button"):
        chromium.execute_script("arguments[0].click()", tab)
        view = f"#view-{tab.get_attribute('data-id')}"
        wait_until(lambda view=view: find_all(f"{view} *"))
    wait_until(lambda: find_all("#view-walk .strip canvas"))
    wait_until(lambda: find_all(".doctor .mark"))
    wait_for(chromium, "document.querySelector('img.preview')?.naturalWidth > 0")
    assert chromium.execute_script(UNNAMED_ELEMENTS) == []
    assert console_messages(chromium) == []


def test_content_security_policy(chromium, link):
    """Markup from a string, an inline script and a foreign host are refused by the browser."""
    chromium.get(link)
    attempts = """
    const done = arguments[0], violations = [];
    document.addEventListener('securitypolicyviolation', (event) => violations.push(event.effectiveDirective));
    try { document.body.innerHTML = '<img src=x onerror=alert(1)>'; violations.push('markup'); } catch (error) {}
    const script = document.createElement('script');
    try { script.textContent = 'window.executed = 1'; document.head.append(script); } catch (error) {}
    fetch('http://127.0.0.1:9/').catch(() => 0).then(() => setTimeout(() => done([violations, window.executed || 0]), 200));
    """
    violations, executed = chromium.execute_async_script(attempts)
    assert executed == 0
    assert "markup" not in violations
    assert "connect-src" in violations
