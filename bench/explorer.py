"""The explorer: time from click to image, and eight clients at once.

    python bench/explorer.py [--threads 2] [--clicks 60] [--clients 8] [--seconds 60] [--browser]

Generators of their recipes' usual widths, untrained (the time does not depend on the weights), each served by `sparring explore`
in a process of its own. `server`: one request after another, each for a image that was never asked for, connection kept.
`browser`: headless Chromium, from the click on a tile of the wall to the image drawn (its canvas painted). `load`: clients that
each ask again as soon as they are answered, mixed walls, images and walks; what is refused with 503 is asked again after
Retry-After. `others`: the machine's load average before. One line of JSON each.
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

SUBJECTS = [("dcgan", 32), ("dcgan", 64), ("sngan", 32), ("sngan", 64)]
MIX = [
    "/api/wall?seed={0}&n=32",
    "/api/picture?at=s{0}.1",
    "/api/walk?at=s{0}.1&to=s{0}.2&steps=9",
    "/api/picture?at=s{0}.1*1,s{0}.2*-0.5",
]
CLICK = """
const [number, done] = arguments, tile = document.querySelectorAll('.wall .tile')[number];
const image = document.querySelector('#inspector canvas.large'), before = image ? image.dataset.shown : undefined;
const begin = performance.now();
const look = () => {
  const there = document.querySelector('#inspector canvas.large');
  if (there && there.dataset.shown !== before && there.dataset.shown) done(performance.now() - begin);
  else requestAnimationFrame(look);
};
tile.click();
look();
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
        found = None
        while found is None:
            found = re.search(r"http://127\.0\.0\.1:(\d+)(/\?token=\S+)", self.process.stdout.readline())
        self.port = int(found[1])
        code, headers, _ = self.ask(HTTPConnection("127.0.0.1", self.port), found[2], {})
        self.cookie = {"Cookie": headers["set-cookie"].split(";")[0]}

    def ask(self, client, path, headers=None, method="GET"):
        client.request(method, path, headers=self.cookie if headers is None else headers)
        answer = client.getresponse()
        body = answer.read()
        return answer.status, dict(answer.getheaders()), body

    def link(self):
        client = HTTPConnection("127.0.0.1", self.port)
        own = {**self.cookie, "Origin": f"http://127.0.0.1:{self.port}", "Content-Length": "0"}
        return json.loads(self.ask(client, "/api/link", own, "POST")[2])["link"]

    def resident(self):
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 2**20

    def close(self):
        self.process.terminate()
        self.process.wait(10)


def shares(times):
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
        code, _, _ = server.ask(client, f"/api/picture?at=s9.{number}")
        times.append(1000 * (time.perf_counter() - begin))
        assert code == 200
    return shares(times[5:])


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
        time.sleep(8)  # the directions are found
        count = min(
            clicks, driver.execute_script("return document.querySelectorAll('.wall .tile').length") - 1
        )
        return shares([driver.execute_async_script(CLICK, number + 1) for number in range(count)])
    finally:
        driver.quit()


def load(server, clients, seconds):
    codes, times, lock, begin = Counter(), [], threading.Lock(), time.monotonic()

    def visitor(number):
        client, turn = HTTPConnection("127.0.0.1", server.port, timeout=30), 0
        while time.monotonic() < begin + seconds:
            path = MIX[turn % len(MIX)].format(1000 * number + turn)
            start = time.perf_counter()
            code, headers, _ = server.ask(client, path)
            with lock:
                codes[
                    f"{code}{'' if code != 503 or 'retry-after' in headers else ' without Retry-After'}"
                ] += 1
                times.append(1000 * (time.perf_counter() - start))
            turn += code == 200
            if code == 503:
                time.sleep(float(headers["retry-after"]))

    for number in range(40):  # warm
        server.ask(HTTPConnection("127.0.0.1", server.port), MIX[number % len(MIX)].format(number))
    before, early = server.resident(), []
    threads = [threading.Thread(target=visitor, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    time.sleep(seconds / 3)
    early.append(server.resident())
    for thread in threads:
        thread.join()
    memory = {"before": round(before), "after_a_third": round(early[0]), "after": round(server.resident())}
    return {
        "clients": clients,
        "seconds": seconds,
        "codes": dict(codes),
        **shares(times),
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
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for number, (recipe, size) in enumerate(SUBJECTS):
            server = Server(generator(recipe, size, folder), asked.threads)
            told = {"recipe": recipe, "size": size, "others": round(os.getloadavg()[0], 1)}
            try:
                print(json.dumps({**told, "server": sequential(server, asked.clicks)}), flush=True)
                if asked.browser:
                    print(json.dumps({**told, "browser": browser(server, asked.clicks)}), flush=True)
                if asked.seconds and number == 1:
                    print(
                        json.dumps({**told, "load": load(server, asked.clients, asked.seconds)}), flush=True
                    )
            finally:
                server.close()


if __name__ == "__main__":
    main()
