"""Balance of the players: a discriminator that wins or is uninformative, penalties too weak or too strong,
oscillating losses.
"""

import statistics

from sparring.doctor import advice
from sparring.doctor.finding import Finding
from sparring.doctor.history import History

DISCRIMINATOR_WON_BELOW = 0.02  # the discriminator's loss
CERTAIN = 0.995
CHANCE = (0.42, 0.58)
INVERTED_BELOW = 0.35
LEARNED_ONCE = 0.7
FIRST_STEPS = 500
LARGE_LOGIT_GAP = 30.0  # logits between real and generated samples
PENALTY_RATIO = 5.0  # penalty over the loss that it belongs to
MIN_SWING, MIN_CROSSINGS, WINDOW = 1.5, 4, 20


def detect_discriminator_wins(history: History) -> Finding | None:
    """The discriminator is always right and sure of it; the generator learns nothing from it."""
    limit = history.generator_lost_above
    losses = [history.recent_median(f"{player}/adversarial") for player in ("discriminator", "generator")]
    own, other = losses
    if limit is None or own is None or other is None or own > DISCRIMINATOR_WON_BELOW or other < limit:
        return None
    sure = [history.recent_median("diag/auc_real_vs_fake")] if history.objective == "relativistic" else []
    sure = sure or [history.recent_median(f"discriminator/accuracy_{kind}") for kind in ("real", "fake")]
    if any(share is not None and share < CERTAIN for share in sure):
        return None
    since = next(
        (
            at
            for at, value in reversed(history.series("discriminator/adversarial"))
            if value > DISCRIMINATOR_WON_BELOW
        ),
        0,
    )
    return Finding(
        name="discriminator_wins",
        severity="bad",
        title="The discriminator wins: it is always right, and the generator learns nothing from it",
        message=f"The discriminator's loss is {own:.3f}, the generator's {other:.2f}, over the last 3 reports.",
        since=since,
        values={"discriminator's loss": own, "generator's loss": other},
        advice=advice.select(
            advice.add_augmentation(history),
            advice.add_gradient_penalty(history),
            advice.scale_gradient_penalty(history, 10),
            advice.lower_learning_rate(history, "discriminator"),
        ),
        checkpoint=history.last_good_checkpoint(since),
    )


def detect_discriminator_useless(history: History) -> Finding | None:
    """The discriminator guesses though real and generated samples differ, or prefers generated ones."""
    apart = history.recent_median("diag/auc_real_vs_fake")
    if apart is None or history.step < FIRST_STEPS:
        return None
    best = max(value for _, value in history.diagnostic("apart"))
    unlike = (history.recent_median("diag/diversity") or 1.0) < 0.5 or (
        history.recent_median("diag/coverage") or 1.0
    ) < 0.3
    guesses = CHANCE[0] <= apart <= CHANCE[1] and (best < LEARNED_ONCE or unlike)
    if not guesses and apart >= INVERTED_BELOW:
        return None
    how = "guesses" if guesses else "takes generated samples for real ones"
    return Finding(
        name="discriminator_useless",
        severity="warning",
        title=f"The discriminator {how}: the generator is taught nothing",
        message=f"It puts a real sample above a generated one {apart:.0%} of the time (half would be guessing), "
        "while their variety still differs."
        if unlike
        else f"It puts a real sample above a generated one {apart:.0%} of the time (half is guessing), at best {best:.0%}.",
        values={"apart": apart, "at best": best},
        advice=advice.select(
            advice.scale_gradient_penalty(history, 0.1), advice.lower_learning_rate(history, "generator")
        ),
    )


def detect_weak_penalty(history: History) -> Finding | None:
    """Logits far from 0: the penalty is too weak, or there is none."""
    train, fake = (
        history.recent_median("diag/logit_train", 2),
        history.recent_median("diag/logit_fake", 2),
    )
    if (
        train is None
        or fake is None
        or history.objective in ("wasserstein", "")
        or abs(train - fake) < LARGE_LOGIT_GAP
    ):
        return None
    return Finding(
        name="penalty_too_weak",
        severity="warning",
        title="The discriminator's judgements grow: what holds it back is too weak",
        message=f"Real and generated samples are judged {train:.0f} and {fake:.0f}; a few units apart is usual.",
        values={"judgement of real": train, "of generated": fake},
        advice=advice.select(
            advice.add_gradient_penalty(history),
            advice.scale_gradient_penalty(history, 10),
            advice.lower_learning_rate(history, "discriminator"),
        ),
    )


def detect_strong_penalty(history: History) -> Finding | None:
    """The gradient penalty outweighs the game, and the discriminator can't tell the samples apart."""
    loss, apart = (
        history.recent_median("discriminator/adversarial"),
        history.recent_median("diag/auc_real_vs_fake"),
    )
    terms = {name: history.recent_median(f"discriminator/{name}") for name in ("r1", "r2")}
    heavy = sum(value for value in terms.values() if value is not None)
    if loss is None or apart is None or history.step < FIRST_STEPS or apart > 0.65:
        return None
    if heavy < PENALTY_RATIO * max(abs(loss), 0.1):
        return None
    return Finding(
        name="penalty_too_strong",
        severity="warning",
        title="The gradient penalty is too strong: it outweighs the game",
        message=f"It costs the discriminator {heavy:.2f}, the game itself {loss:.2f}; it is right {apart:.0%} of the time.",
        values={"penalty": heavy, "discriminator's loss": loss, "apart": apart},
        advice=advice.select(advice.scale_gradient_penalty(history, 0.1)),
    )


def detect_oscillation(history: History) -> Finding | None:
    """The generator's loss swings to and fro by more than it is large."""
    series = history.series("generator/adversarial")[-WINDOW:]
    if len(series) < WINDOW or history.step < 2 * FIRST_STEPS or history.objective == "wasserstein":
        return None
    values = [value for _, value in series]
    middle = statistics.median(values)
    ordered = sorted(values)
    swing = (ordered[-2] - ordered[1]) / (abs(middle) + 0.5)
    above = [value > middle for value in values]
    rounds = sum(one != other for one, other in zip(above, above[1:], strict=False))
    if swing < MIN_SWING or rounds < MIN_CROSSINGS:
        return None
    return Finding(
        name="oscillation",
        severity="warning",
        title="The players run round in circles: the losses swing instead of settling",
        message=f"Over the last {WINDOW} reports the generator's loss went between {ordered[1]:.2f} and {ordered[-2]:.2f}, "
        f"{rounds} times across its middle of {middle:.2f}.",
        since=series[0][0],
        values={"least": ordered[1], "most": ordered[-2], "crossings": rounds},
        advice=advice.select(
            advice.add_gradient_penalty(history),
            advice.lower_learning_rates(history, 0.5),
            advice.scale_gradient_penalty(history, 10),
        ),
    )
