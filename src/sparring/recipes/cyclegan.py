"""CycleGAN. Zhu, Park, Isola & Efros 2017, arXiv:1703.10593.

New here: translation between two heaps of pictures without pairs: two translators that must undo each other (weight 10), two judges
with least squares, shown a pool of 50 earlier pictures. Read games/cycle.py, games/history.py, translators/resnet.py.
Numbers: the paper's (batch 1, Adam 2e-4, 200 epochs, the rate falling to 0 over the second half) from 128 pixels on; smaller
pictures have fewer channels, 3 blocks, smaller patches, batches of 4 at 4e-4. Identity (weight 5) only where both domains have
as many channels; --set game.identity=0 lets colours change more, and is a third faster.
Run: sparring train A B --recipe cyclegan      Expect: docs/picture-to-picture.md.
"""

from sparring.experiment import Experiment
from sparring.games.cycle import CycleConfig
from sparring.recipes import translating
from sparring.recipes.facts import TINY_SIDES, Facts


def experiment(facts: Facts) -> Experiment:
    alike = facts.spec.other is None or facts.spec.other[0] == facts.spec.shape[0]
    game = CycleConfig(
        translator=translating.resnet(facts),
        discriminator=translating.patches(facts),
        identity=5.0 if alike else 0.0,
    )
    return translating.experiment("cyclegan", facts, game, ("translators", "discriminators"))


def tiny() -> Experiment:
    return translating.tiny_of(experiment(TINY_SIDES))
