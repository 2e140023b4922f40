"""The explorer: time from click to image, and eight clients at once.

    python bench/explorer.py [--threads 2] [--clicks 60] [--clients 8] [--seconds 60] [--browser]

Generators of their recipes' usual widths, untrained (the time does not depend on the weights), each served by `sparring explore`
in a process of its own. `server`: one request after another, each for an image that was not requested before, over one connection.
`browser`: headless Chromium, from the click on a tile to the drawn image. `load`: clients that send the next request as soon as
they have a response, a mix of samples, images and walks; a request refused with 503 is repeated after Retry-After. `load_average`:
of the machine before the run. One line of JSON each.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path

from sparring.core.shapes import SampleSpec
from sparring.recipes.facts import Facts
from sparring.recipes.table import RECIPES
from sparring.runs import generator_file

MODELS = [("dcgan", 32), ("dcgan", 64), ("sngan", 32), ("sngan", 64)]
REQUESTS = [
    "/api/samples?seed={0}&n=32",
    "/api/sample?point=s{0}.1",
    "/api/walk?point=s{0}.1&end=s{0}.2&steps=9",
    "/api/sample?point=s{0}.1*1,s{0}.2*-0.5",
]
CLICK = """
const [number, done] = arguments, tile = document.querySelectorAll('.samples .tile')[number];
const image = document.querySelector('#inspector canvas.large'), before = image ? image.dataset.shown : undefined;
const begin = performance.now();
const check = () => {
  const canvas = document.querySelector('#inspector canvas.large');
  if (canvas && canvas.dataset.shown !== before && canvas.dataset.shown) done(performance.now() - begin);
  else requestAnimationFrame(check);
};
tile.click();
check();
"""


def generator(recipe, size, folder):
    spec = SampleSpec(shape=(3, size, size))
    experiment = RECIPES[recipe](Facts(spec=spec, count=1000))
    path = Path(folder) / f"{recipe}{size}.safetensors"
    facts = {"images": 0, "units": {}, "classes": []}
    generator_file.save(path, experiment.game.build_model(spec), experiment, facts)
    return path


class Server:
    def __init__(self, path, threads):
        command = [
            sys.executable,
            "-m",
            "sparring",
            "explore",
            str(path),
            "--no-browser",
            "--port",
            "0",
            "--threads",
            str(threads),
        ]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
        match = None
        while match is None:
            match = re.search(r"http://127\.0\.0\.1:(\d+)(/\?token=\S+)", self.process.stdout.readline())
        self.port = int(match[1])
        code, headers, _ = self.request(HTTPConnection("127.0.0.1", self.port), match[2], {})
        self.cookie = {"Cookie": headers["set-cookie"].split(";")[0]}

    def request(self, client, path, headers=None, method="GET"):
        client.request(method, path, headers=self.cookie if headers is None else headers)
        response = client.getresponse()
        body = response.read()
        return response.status, dict(response.getheaders()), body

    def link(self):
        client = HTTPConnection("127.0.0.1", self.port)
        own = {**self.cookie, "Origin": f"http://127.0.0.1:{self.port}", "Content-Length": "0"}
        return json.loads(self.request(client, "/api/link", own, "POST")[2])["link"]

    def resident_mib(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 2**20

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def percentiles(times):
    ordered = sorted(times)
    return {
        "n": len(times),
        "p50_ms": round(statistics.median(ordered), 1),
        "p95_ms": round(ordered[int(0.95 * len(ordered))], 1),
    }


def sequential(server, clicks):
    client, times = HTTPConnection("127.0.0.1", server.port), []
    for number in range(clicks + 5):
        begin = time.perf_counter()
        code, _, _ = server.request(client, f"/api/sample?point=s9.{number}")
        times.append(1000 * (time.perf_counter() - begin))
        assert code == 200
    return percentiles(times[5:])


def browser(server, clicks):
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for option in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1280,800",
    ):
        options.add_argument(option)
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    driver.set_script_timeout(30)
    try:
        driver.get(server.link())
        time.sleep(6)
        driver.execute_async_script(CLICK, 0)
        time.sleep(8)  # until the directions are computed
        count = min(
            clicks, driver.execute_script("return document.querySelectorAll('.samples .tile').length") - 1
        )
        return percentiles([driver.execute_async_script(CLICK, number + 1) for number in range(count)])
    finally:
        driver.quit()


def load(server, clients, seconds):
    codes, times, lock, begin = Counter(), [], threading.Lock(), time.monotonic()

    def send_requests(number):
        client, turn = HTTPConnection("127.0.0.1", server.port, timeout=30), 0
        while time.monotonic() < begin + seconds:
            path = REQUESTS[turn % len(REQUESTS)].format(1000 * number + turn)
            start = time.perf_counter()
            code, headers, _ = server.request(client, path)
            with lock:
                codes[
                    f"{code}{'' if code != 503 or 'retry-after' in headers else ' without Retry-After'}"
                ] += 1
                times.append(1000 * (time.perf_counter() - start))
            turn += code == 200
            if code == 503:
                time.sleep(float(headers["retry-after"]))

    for number in range(40):  # warm
        server.request(
            HTTPConnection("127.0.0.1", server.port), REQUESTS[number % len(REQUESTS)].format(number)
        )
    before, early = server.resident_mib(), []
    threads = [threading.Thread(target=send_requests, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 3)
    early.append(server.resident_mib())
    for thread in threads:
        thread.join()
    memory = {
        "before": round(before),
        "after_a_third": round(early[0]),
        "after": round(server.resident_mib()),
    }
    return {
        "clients": clients,
        "seconds": seconds,
        "codes": dict(codes),
        **percentiles(times),
        "resident_mib": memory,
    }


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--clicks", type=int, default=60)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--browser", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number, (recipe, size) in enumerate(MODELS):
            server = Server(generator(recipe, size, folder), options.threads)
            model = {"recipe": recipe, "size": size, "load_average": round(os.getloadavg()[0], 1)}
            try:
                print(json.dumps({**model, "server": sequential(server, options.clicks)}), flush=True)
                if options.browser:
                    print(json.dumps({**model, "browser": browser(server, options.clicks)}), flush=True)
                if options.seconds and number == 1:
                    print(
                        json.dumps({**model, "load": load(server, options.clients, options.seconds)}),
                        flush=True,
                    )
            finally:
                server.close()


if __name__ == "__main__":
    main()
