"""What a run shows of itself at a moment: samples, reconstructions, translations; each where the game has it."""

from pathlib import Path

from sparring import reconstruction, samples
from sparring.data import Dataset
from sparring.games.classification import Kept
from sparring.games.translation import Translation
from sparring.runfile import facts_of
from sparring.translation import shown


def show(run: Path, images: int, kept: Kept, data: tuple[Dataset, Dataset | None], count: int) -> None:
    """Write the pictures of this moment.

    Arguments:
        images: the time.
        data: what is trained on, and what was held out.
        count: of samples, or of translations (of held-out pictures, where there are any).
    """
    training, held = data
    if isinstance(kept, Translation):
        shown.show(run, images, kept, training if held is None else held, count)
        return
    samples.show(run, images, kept, facts_of(training), count)
    reconstruction.show(run, images, kept, training)
