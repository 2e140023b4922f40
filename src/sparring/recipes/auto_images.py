"""`auto` for images: what it chooses by the number of images, their size, labels, the time and the machine, and why.

DCGAN's fast networks (Radford et al. 2016, arXiv:1511.06434) with what has been learned since. The generator doubles by
nearest neighbours, without a checkerboard (Odena et al. 2016). The discriminator has no batch normalisation, He's
initialisation, minibatch standard deviation (Karras et al. 2018, arXiv:1710.10196) and a lazy R1 penalty (Mescheder et al.
2018, arXiv:1801.04406) that grows with the number of pixels. Both see labels, or groups of similar images where there are
none. Augmentation adapts itself to overfitting (Karras et al. 2020, arXiv:2006.06676). How each was found: docs/log.md.
"""

import json
from dataclasses import replace

from sparring.core.optimizers import Adam
from sparring.core.schedule import LinearSchedule
from sparring.data import DataConfig
from sparring.experiment import Experiment, TrainingConfig
from sparring.games.adversarial import AdversarialConfig
from sparring.parts.augmentation import ADA
from sparring.parts.augmentation.image_transforms import TransformName
from sparring.parts.conditioning import MinibatchStdDev, Projection, Unconditional
from sparring.parts.networks.dcgan import DCGANDiscriminator, DCGANGenerator
from sparring.parts.objectives import NonSaturating
from sparring.parts.penalties import R1
from sparring.protocols.rescue import Rescue
from sparring.recipes.facts import Facts

DEFAULT_IMAGES = 400_000
R1_AT_64 = 0.5  # gamma at 64x64 pixels
R1_EVERY = 8
GROUP_SIZE, MAX_GROUPS = 100, 30  # pseudo-classes: images of each at least, and their number at most


def experiment(facts: Facts) -> Experiment:
    """The experiment for images; its metric is added in auto.py."""
    images = facts.length(DEFAULT_IMAGES)
    batch, width, size_reason = choose_size(facts)
    gamma, gamma_reason = choose_r1(facts)
    ada, ada_reason = choose_augmentation(facts, images)
    data, data_reasons = choose_data(facts)
    labelled = facts.spec.num_classes > 1 or data.pseudo_classes > 1
    lr = choose_learning_rate(images)
    return Experiment(
        recipe="auto",
        data=data,
        game=AdversarialConfig(
            generator=DCGANGenerator(width=width, upsampling="nearest", full_size_width=width // 2),
            discriminator=DCGANDiscriminator(width=width, norm="none", init="he", downsampling="mean"),
            objective=NonSaturating(),
            head=Projection() if labelled else Unconditional(),
            conditional=labelled,
            penalties=(R1(gamma=gamma, every=R1_EVERY),),
            augmentations=(ada,),
            batch_features=MinibatchStdDev(),
            reuse_fakes=True,
            joint_batch=True,
        ),
        optimizers={name: Adam(lr=lr) for name in ("generator", "discriminator")},
        training=TrainingConfig(
            total_images=images,
            batch=batch,
            ema_half_life=10_000.0,
            ema_ramp=0.1,
            rescue=choose_rescue(gamma, lr),
        ),
        reasons=(*data_reasons, size_reason, gamma_reason, ada_reason),
    )


def choose_size(facts: Facts) -> tuple[int, int, str]:
    """Samples per step, and channels of the networks next to the image, which are doubled at each stage inwards."""
    if facts.has_accelerator:
        return 32, 64, "batches of 32, networks of width 64: an accelerator takes as long for less"
    return 16, 32, "batches of 16, networks of width 32: many small steps learn most in a CPU's time"


def choose_r1(facts: Facts) -> tuple[float, str]:
    """The strength of R1, in proportion to the number of pixels, over which the gradient is spread (Karras et al. 2020)."""
    _, height, width = facts.spec.shape
    gamma = float(f"{R1_AT_64 * height * width / 64**2:.2g}")
    return (
        gamma,
        f"R1 of strength {gamma:g}, every {R1_EVERY} steps: in proportion to {height}x{width} pixels",
    )


def choose_learning_rate(images: int) -> LinearSchedule:
    """Constant for half of the run, then down to 0: a rate that falls from the start learns less in a short run."""
    half = max(1, images // 2)
    return LinearSchedule(start=1e-3, end=0.0, delay=images - half, duration=half)


def choose_rescue(gamma: float, lr: LinearSchedule) -> Rescue:
    """What changes if the generator collapses or the discriminator wins: twice half the learning rates and four times R1."""
    remedies = []
    for level in (1, 2):
        penalty = json.dumps([{"type": "r1", "gamma": gamma * 4**level, "every": R1_EVERY}])
        rates = [
            f"optimizers.{name}.lr.start={lr.start / 2**level:g}" for name in ("generator", "discriminator")
        ]
        remedies.append((*rates, f"game.penalties={penalty}"))
    return Rescue(remedies=tuple(remedies))


def choose_augmentation(facts: Facts, images: int) -> tuple[ADA, str]:
    """Adaptive augmentation: its probability may move by 1 in a fifth of the run, or a pass through the data if that is longer."""
    adjust = max(images // 5, min(facts.count, 100_000), 1)
    transforms: tuple[TransformName, ...] = ("translation", "scale", "brightness", "contrast")
    if facts.spec.shape[0] >= 3:
        transforms += ("saturation",)
    ada = ADA(transforms=transforms, colour_share=0.25, adjust_images=adjust)
    passes = images / max(1, facts.count)
    return ada, f"augmentation that adapts itself, from none: each image is seen {passes:.1f} times"


def choose_data(facts: Facts) -> tuple[DataConfig, list[str]]:
    """Held-out images, groups in place of labels, and mirror images."""
    held_out = min(500, facts.count // 20) if facts.count >= 400 else 0
    groups = min(MAX_GROUPS, facts.count // GROUP_SIZE) if facts.spec.num_classes < 2 else 0
    groups = groups if groups > 1 else 0
    reasons = []
    if facts.spec.num_classes > 1:
        reasons.append(f"conditional on {facts.spec.num_classes} classes: the data has labels")
    elif groups:
        reasons.append(f"conditional on {groups} groups of similar images: the data has no labels")
    mirror = facts.mirror_test()
    if mirror is not None:
        reasons.append(f"mirror images {'added' if mirror.allows_flips else 'not added'}: {mirror.reason()}")
    flip = mirror is not None and mirror.allows_flips
    return replace(facts.data, pseudo_classes=groups, held_out=held_out, flip=flip), reasons
