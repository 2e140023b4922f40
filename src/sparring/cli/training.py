"""`sparring train`."""

import json
import shlex
import time
from typing import TYPE_CHECKING

from sparring import checkpoint
from sparring.asking import default_out, domains, pixels
from sparring.console import Console
from sparring.machine import Machine
from sparring.report.parts import only_classifies
from sparring.request import Request, read_document
from sparring.runfile import read_run
from sparring.starting import perform
from sparring.train import Result
from sparring.wording import clock

if TYPE_CHECKING:
    from sparring.cli.commands import Train


def train(options: "Train") -> int:
    """Do as the command line says.

    Returns:
        The exit code.
    """
    began = time.monotonic()
    request = request_of(options)
    out = options.out or default_out(request)
    machine = Machine(device=options.device, precision=options.precision, threads=options.threads)
    with Console.standard(quiet=options.quiet, to_errors=options.json) as console:
        sources = " and ".join(filter(None, [request.data, request.other]))
        console.say(f"reading {sources or 'the data'} ...")
        result = perform(request, out, machine, console)
        seconds = time.monotonic() - began
        images = max(checkpoint.numbers(out), default=0)
        console.say("", *closing(result, images, seconds))
        if options.json and console.leads:
            told = {
                "run": str(out),
                "outcome": result.outcome,
                "images": images,
                "seconds": round(seconds, 2),
            }
            told |= {"goal": result.goal} if result.goal else {}
            print(json.dumps(told), flush=True)
    return result.exit_code


def request_of(options: "Train") -> Request:
    """What was asked for; a DATA behind `--set` has no '=' in it."""
    words = [word for group in options.settings for word in group]
    data = [*options.data, *(word for word in words if "=" not in word)]
    source, other = domains(data, options.domains)
    return Request(
        data=source,
        other=other,
        recipe=options.recipe,
        images=options.images,
        seed=options.seed,
        batch=options.batch,
        size=pixels(options.size),
        until=options.until,
        settings=tuple(word for word in words if "=" in word),
        document=read_document(options.config) if options.config else {},
    )


def closing(result: Result, images: int, seconds: float) -> list[str]:
    """How it ended, where the results are, and what to do next."""
    run, typed = result.run, shlex.quote(str(result.run))
    if result.already and result.outcome == "reached":
        head = f"this run was over before: {result.goal}. Another --out or --seed begins a new one."
    elif result.already:
        head = f"this run was finished before: {images:,} images. Another --out or --seed begins a new one."
    elif result.outcome in ("finished", "reached"):
        head = f"finished: {images:,} images in {clock(seconds)}"
    elif images:
        head = f"stopped at image {images:,}; all is saved"
    else:
        return ["stopped before the first step; the same command begins anew"]
    lines = [head]
    if result.goal and result.goal not in head:
        lines.append(result.goal)
    if result.outcome == "stopped":
        lines.append(f"{'go on':<11}sparring train --out {typed}")
    for what, name in {
        "samples": "samples.png",
        "generator": "generator.safetensors",
        "report": "report.html",
    }.items():
        if (run / name).exists():
            lines.append(f"{what:<11}{run / name}")
    classifies = only_classifies(read_run(run) or {})
    if ((read_run(run) or {}).get("data") or {}).get("other"):
        return [*lines, f"{'next':<11}sparring translate {typed} PICTURES --out translated"]
    verb = f"classify {typed} PICTURES" if classifies else f"sample {typed} --n 64 --out new.png"
    return [*lines, f"{'next':<11}sparring {verb}"]
