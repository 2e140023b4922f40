"""The networks and numbers of PacGAN's experiments on 2-D mixtures, which are the literature's baseline for
points.

References: Lin, Khetan, Fanti, Oh 2018, arXiv:1712.04086, sec. 4.1 and Table 1, with the numbers of the
authors' code: latent 2, four layers of 400, maxout of 3 x 200 units with 5 pieces, Adam 1e-4 with beta1
0.8, batch 100, 400 epochs of 100,000 samples.
"""

from sparring.experiment import Experiment, Training
from sparring.games.adversarial import AdversarialConfig
from sparring.networks.mlp import MLPDiscriminator, MLPGenerator
from sparring.objectives import NonSaturating
from sparring.optim import Adam
from sparring.recipes.facts import Facts


def mixture(recipe: str, facts: Facts, packing: int) -> Experiment:
    """PacGAN's game on points; `packing` 1 is its GAN row."""
    adam = Adam(lr=1e-4, beta1=0.8)
    return Experiment(
        recipe=recipe,
        data=facts.data,
        game=AdversarialConfig(
            generator=MLPGenerator(
                latent=2, hidden=(400,) * 4, activation="relu", norm="batch", init_std=0.02
            ),
            discriminator=MLPDiscriminator(hidden=(200,) * 3, activation="maxout", pieces=5, init_std=0.02),
            objective=NonSaturating(),
            packing=packing,
        ),
        optimizers={"generator": adam, "discriminator": adam},
        training=Training(images=facts.length(40_000_000), batch=100, half_life=0.0),
    )
