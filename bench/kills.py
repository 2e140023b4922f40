"""Recovery from crashes: SIGKILL at thousands of random instants, before every storage operation, and every fault of the disk.

    python bench/kills.py [--kills 2000] [--runs 100] [--seed 1] [--steps 12] [--out FOLDER]

The toy run of tests/helpers/toy.py: two perceptrons, 60 steps, a checkpoint every third. After each kill the same call goes on.
Prints a table: for each proof how many trials there were, how many of them had power, and how many ended otherwise than
undisturbed.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=2_000)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--steps", type=int, default=12, help="of the runs in which each operation is killed or fails"
    )
    parser.add_argument(
        "--out", type=Path, default=None, help="where the runs go; a temporary folder by default"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.out) as place:
        os.environ["SPARRING_CACHE"] = f"{place}/cache"
        return prove(options, Path(place))


def prove(options: argparse.Namespace, place: Path) -> int:
    from tests.helpers import toy
    from tests.helpers.trials_client import Trials

    trials, data = Trials(), toy.write_data(place)
    folders = {name: place / name for name in ("warm", "kills", "each", "faults")}
    trials("warm_up", data=data, folder=folders["warm"])
    kills = trials(
        "kill_loop",
        data=data,
        folder=folders["kills"],
        kills=options.kills,
        runs=options.runs,
        seed=options.seed,
    )
    each = trials("kill_before", data=data, folder=folders["each"], steps=options.steps, stride=1, last=0)
    faults = trials("faults", data=data, folder=folders["faults"], steps=options.steps, stride=1)
    trials.close()
    share = 100 * kills["saving"] / max(kills["kills"], 1)
    bad = (
        kills["rejected"]
        + kills["lost"]
        + kills["left"]
        + options.runs
        - kills["equal"]
        + options.runs
        - kills["rows"]
    )
    print("| proof | trials | power | bad |")
    print("|---|---|---|---|")
    runs = f"{kills['equal']} of {options.runs} runs bit-identical, {kills['seconds']:.0f} s"
    print(f"| SIGKILL at random instants | {kills['kills']} | {share:.0f} % inside a save; {runs} | {bad} |")
    power = f"all {each['operations']} operations of a run"
    print(f"| SIGKILL before operation k | {each['trials']} | {power} | {each['trials'] - each['equal']} |")
    power = f"{faults['refused']} refused with a reason, {faults['went on']} went on"
    print(f"| operation k fails, once or for ever | {faults['trials']} | {power} | {len(faults['bad'])} |")
    for line in faults["bad"]:
        print(line)
    return int(bool(bad or each["trials"] - each["equal"] or faults["bad"]))


if __name__ == "__main__":
    sys.exit(main())
