"""`evaluate`: from what was asked for to a list of results."""

from collections.abc import Callable

from sparring.data import Stopped
from sparring.data.watch import Watch
from sparring.evaluation.before import Say
from sparring.evaluation.hearing import Hearing
from sparring.evaluation.line import Line
from sparring.evaluation.wish import Evaluation, Wish
from sparring.runtime import Runtime


def evaluate(
    wish: Wish,
    start: Callable[[bool], Runtime],
    watch: Watch | None = None,
    say: Say = lambda what: None,
    see: Callable[[Line], None] = lambda line: None,
) -> Evaluation:
    """Do as the wish says.

    Arguments:
        start: starts the machine, told whether the samples are pictures.
        watch: told of the progress of each piece of work, asked whether to stop.
        say: told what is being done.
        see: told of each result as it comes.

    Raises:
        SparringError: what can't be judged. Once there is a result, being stopped is no error.
    """
    hearing = Hearing(wish, start, watch or Watch(), say)
    done = hearing.done
    try:
        hearing.open()
        protocols = hearing.protocols()
        hearing.prepare(protocols)
        for number, protocol in enumerate(protocols, 1):
            say(f"{protocol} ({number} of {len(protocols)})")
            line = hearing.measured(protocol)
            if line is not None:
                done.lines.append(line)
                see(line)
        if not done.lines and hearing.refused is not None:
            raise hearing.refused
        if done.lines:
            say("looking for the closest real pictures")
            done.sheet = hearing.sheet()
    except Stopped:
        done.stopped = True
    return done
