"""Balance of the players: a discriminator that wins or is uninformative, penalties too weak or too strong,
oscillating losses.
"""

import statistics

from sparring.doctor import advice
from sparring.doctor.finding import Finding
from sparring.doctor.history import History
from sparring.protocols.rescue import CERTAIN, DISCRIMINATOR_WON_BELOW

CHANCE = (0.42, 0.58)  # AUC of a discriminator that guesses
INVERTED_BELOW = 0.35  # AUC of a discriminator that prefers generated samples
LEARNED_ONCE = 0.7  # AUC
FIRST_STEPS = 500
LARGE_LOGIT_GAP = 30.0  # between the mean logits of real and generated samples
PENALTY_RATIO = 5.0  # penalty divided by the adversarial loss
MAX_AUC_UNDER_PENALTY = 0.65
MIN_SWING, MIN_CROSSINGS, WINDOW = 1.5, 4, 20  # of the generator's loss; the window in reports


def detect_discriminator_wins(history: History) -> Finding | None:
    """The discriminator is certain and always right, so the generator gets no useful gradient."""
    limit = history.generator_lost_above
    d_loss = history.recent_median("discriminator/adversarial")
    g_loss = history.recent_median("generator/adversarial")
    if limit is None or d_loss is None or g_loss is None:
        return None
    if d_loss > DISCRIMINATOR_WON_BELOW or g_loss < limit:
        return None
    names: tuple[str, ...] = ("discriminator/accuracy_real", "discriminator/accuracy_fake")
    if history.objective == "relativistic":  # its logits have no zero, so its accuracies mean nothing
        names = ("diag/auc_real_vs_fake",)
    if any((value := history.recent_median(name)) is not None and value < CERTAIN for name in names):
        return None
    losses = reversed(history.series("discriminator/adversarial"))
    since = next((images for images, value in losses if value > DISCRIMINATOR_WON_BELOW), 0)
    return Finding(
        name="discriminator_wins",
        severity="bad",
        title="The discriminator wins: it is always right, and the generator no longer learns from it",
        message=f"Over the last 3 reports the discriminator's loss is {d_loss:.3f} and the generator's {g_loss:.2f}.",
        since=since,
        values={"discriminator_loss": d_loss, "generator_loss": g_loss},
        advice=advice.select(
            advice.add_augmentation(history),
            advice.add_gradient_penalty(history),
            advice.scale_gradient_penalty(history, 10),
            advice.lower_learning_rate(history, "discriminator"),
        ),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_discriminator_useless(history: History) -> Finding | None:
    """The discriminator guesses although real and generated samples differ, or prefers generated ones."""
    auc = history.recent_median("diag/auc_real_vs_fake")
    if auc is None or history.step < FIRST_STEPS:
        return None
    best = max(value for _, value in history.diagnostic("auc_real_vs_fake"))
    diversity = history.recent_median("diag/diversity") or 1.0
    coverage = history.recent_median("diag/coverage") or 1.0
    samples_differ = diversity < 0.5 or coverage < 0.3
    guesses = CHANCE[0] <= auc <= CHANCE[1] and (best < LEARNED_ONCE or samples_differ)
    if not guesses and auc >= INVERTED_BELOW:
        return None
    problem = "guesses" if guesses else "prefers generated samples to real ones"
    rest = (
        "although their diversity differs."
        if samples_differ
        else f"and never did so in more than {best:.0%}."
    )
    return Finding(
        name="discriminator_useless",
        severity="warning",
        title=f"The discriminator {problem}: the generator learns nothing from it",
        message=f"It ranks a real sample above a generated one in {auc:.0%} of pairs (chance is 50%), {rest}",
        values={"auc_real_vs_fake": auc, "best_auc": best},
        advice=advice.select(
            advice.scale_gradient_penalty(history, 0.1), advice.lower_learning_rate(history, "generator")
        ),
    )


def detect_weak_penalty(history: History) -> Finding | None:
    """Logits far from 0: the gradient penalty is too weak, or there is none."""
    real = history.recent_median("diag/logit_train", 2)
    fake = history.recent_median("diag/logit_fake", 2)
    if real is None or fake is None or abs(real - fake) < LARGE_LOGIT_GAP:
        return None
    if history.objective in ("wasserstein", ""):  # its logits have no scale
        return None
    return Finding(
        name="penalty_too_weak",
        severity="warning",
        title="The discriminator's logits grow: its regularisation is too weak",
        message=f"The mean logit is {real:.0f} for real and {fake:.0f} for generated samples; usually they differ by a few units.",
        values={"logit_real": real, "logit_fake": fake},
        advice=advice.select(
            advice.add_gradient_penalty(history),
            advice.scale_gradient_penalty(history, 10),
            advice.lower_learning_rate(history, "discriminator"),
        ),
    )


def detect_strong_penalty(history: History) -> Finding | None:
    """The gradient penalty dominates the loss, and the discriminator can't tell real from generated samples."""
    loss = history.recent_median("discriminator/adversarial")
    auc = history.recent_median("diag/auc_real_vs_fake")
    if loss is None or auc is None or history.step < FIRST_STEPS or auc > MAX_AUC_UNDER_PENALTY:
        return None
    terms = (history.recent_median(f"discriminator/{name}") for name in ("r1", "r2"))
    penalty = sum(value for value in terms if value is not None)
    if penalty < PENALTY_RATIO * max(abs(loss), 0.1):
        return None
    return Finding(
        name="penalty_too_strong",
        severity="warning",
        title="The gradient penalty is too strong: it dominates the discriminator's loss",
        message=f"The penalty is {penalty:.2f}, the adversarial loss {loss:.2f}; the discriminator ranks a real sample "
        f"above a generated one in {auc:.0%} of pairs (chance is 50%).",
        values={"penalty": penalty, "discriminator_loss": loss, "auc_real_vs_fake": auc},
        advice=advice.select(advice.scale_gradient_penalty(history, 0.1)),
    )


def detect_oscillation(history: History) -> Finding | None:
    """The generator's loss oscillates with an amplitude larger than its median."""
    series = history.series("generator/adversarial")[-WINDOW:]
    if len(series) < WINDOW or history.step < 2 * FIRST_STEPS or history.objective == "wasserstein":
        return None
    values = [value for _, value in series]
    median, ordered = statistics.median(values), sorted(values)
    low, high = ordered[1], ordered[-2]
    swing = (high - low) / (abs(median) + 0.5)
    is_above = [value > median for value in values]
    crossings = sum(one != other for one, other in zip(is_above, is_above[1:], strict=False))
    if swing < MIN_SWING or crossings < MIN_CROSSINGS:
        return None
    return Finding(
        name="oscillation",
        severity="warning",
        title="The losses oscillate instead of settling",
        message=f"Over the last {WINDOW} reports the generator's loss went between {low:.2f} and {high:.2f} and crossed "
        f"its median of {median:.2f} {crossings} times.",
        since=series[0][0],
        values={"low": low, "high": high, "crossings": crossings},
        advice=advice.select(
            advice.add_gradient_penalty(history),
            advice.lower_learning_rates(history, 0.5),
            advice.scale_gradient_penalty(history, 10),
        ),
    )
