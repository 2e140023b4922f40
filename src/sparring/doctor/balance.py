"""Who is ahead: a discriminator that wins, one that is of no use, judgements that grow, players that run round in circles."""

import statistics

from sparring.doctor import advice
from sparring.doctor.finding import Finding
from sparring.doctor.history import History

WON = 0.02  # the discriminator's loss
LOST = {"nonsaturating": 6.0, "relativistic": 6.0, "hinge": 0.9, "least_squares": 0.4, "minimax": -0.02}
SURE = 0.995
CHANCE = (0.42, 0.58)
BELOW = 0.35
EVER = 0.7
FIRST_STEPS = 500
APART = 30.0  # logits between real and generated samples
HEAVY = 5.0  # penalty over the loss that it belongs to
SWING, ROUNDS, SPAN = 1.5, 4, 20


def discriminator_wins(history: History) -> Finding | None:
    """The discriminator is always right and sure of it; the generator learns nothing from it."""
    limit = LOST.get(history.objective)
    losses = [history.recent(f"{player}/adversarial") for player in ("discriminator", "generator")]
    own, other = losses
    if limit is None or own is None or other is None or own > WON or other < limit:
        return None
    sure = [history.recent("vitals/apart")] if history.objective == "relativistic" else []
    sure = sure or [history.recent(f"accuracy_{kind}") for kind in ("real", "fake")]
    if any(share is not None and share < SURE for share in sure):
        return None
    since = next(
        (at for at, value in reversed(history.series("discriminator/adversarial")) if value > WON), 0
    )
    return Finding(
        name="discriminator_wins",
        severity="bad",
        title="The discriminator wins: it is always right, and the generator learns nothing from it",
        words=f"The discriminator's loss is {own:.3f}, the generator's {other:.2f}, over the last 3 reports.",
        since=since,
        figures={"discriminator's loss": own, "generator's loss": other},
        advice=advice.chosen(
            advice.augmentation(history),
            advice.penalty(history),
            advice.gamma(history, 10),
            advice.slower(history, "discriminator"),
        ),
        checkpoint=history.good_checkpoint(since),
    )


def discriminator_useless(history: History) -> Finding | None:
    """The discriminator guesses though real and generated samples differ, or prefers generated ones."""
    apart = history.recent("vitals/apart")
    if apart is None or history.step < FIRST_STEPS:
        return None
    best = max(value for _, value in history.vital("apart"))
    unlike = (history.recent("vitals/diversity") or 1.0) < 0.5 or (
        history.recent("vitals/reached") or 1.0
    ) < 0.3
    guesses = CHANCE[0] <= apart <= CHANCE[1] and (best < EVER or unlike)
    if not guesses and apart >= BELOW:
        return None
    how = "guesses" if guesses else "takes generated samples for real ones"
    return Finding(
        name="discriminator_useless",
        severity="warning",
        title=f"The discriminator {how}: the generator is taught nothing",
        words=f"It puts a real sample above a generated one {apart:.0%} of the time (half would be guessing), "
        "while their variety still differs."
        if unlike
        else f"It puts a real sample above a generated one {apart:.0%} of the time (half is guessing), at best {best:.0%}.",
        figures={"apart": apart, "at best": best},
        advice=advice.chosen(advice.gamma(history, 0.1), advice.slower(history, "generator")),
    )


def judgements_grow(history: History) -> Finding | None:
    """Logits far from 0: the penalty is too weak, or there is none."""
    train, fake = history.recent("vitals/logit_train", 2), history.recent("vitals/logit_fake", 2)
    if train is None or fake is None or history.objective in ("wasserstein", "") or abs(train - fake) < APART:
        return None
    return Finding(
        name="penalty_too_weak",
        severity="warning",
        title="The discriminator's judgements grow: what holds it back is too weak",
        words=f"Real and generated samples are judged {train:.0f} and {fake:.0f}; a few units apart is usual.",
        figures={"judgement of real": train, "of generated": fake},
        advice=advice.chosen(
            advice.penalty(history), advice.gamma(history, 10), advice.slower(history, "discriminator")
        ),
    )


def penalty_heavy(history: History) -> Finding | None:
    """The gradient penalty outweighs the game, and the discriminator can't tell the samples apart."""
    loss, apart = history.recent("discriminator/adversarial"), history.recent("vitals/apart")
    terms = {name: history.recent(f"discriminator/{name}") for name in ("r1", "r2")}
    heavy = sum(value for value in terms.values() if value is not None)
    if loss is None or apart is None or history.step < FIRST_STEPS or apart > 0.65:
        return None
    if heavy < HEAVY * max(abs(loss), 0.1):
        return None
    return Finding(
        name="penalty_too_strong",
        severity="warning",
        title="The gradient penalty is too strong: it outweighs the game",
        words=f"It costs the discriminator {heavy:.2f}, the game itself {loss:.2f}; it is right {apart:.0%} of the time.",
        figures={"penalty": heavy, "discriminator's loss": loss, "apart": apart},
        advice=advice.chosen(advice.gamma(history, 0.1)),
    )


def oscillates(history: History) -> Finding | None:
    """The generator's loss swings to and fro by more than it is large."""
    series = history.series("generator/adversarial")[-SPAN:]
    if len(series) < SPAN or history.step < 2 * FIRST_STEPS or history.objective == "wasserstein":
        return None
    values = [value for _, value in series]
    middle = statistics.median(values)
    ordered = sorted(values)
    swing = (ordered[-2] - ordered[1]) / (abs(middle) + 0.5)
    above = [value > middle for value in values]
    rounds = sum(one != other for one, other in zip(above, above[1:], strict=False))
    if swing < SWING or rounds < ROUNDS:
        return None
    return Finding(
        name="oscillation",
        severity="warning",
        title="The players run round in circles: the losses swing instead of settling",
        words=f"Over the last {SPAN} reports the generator's loss went between {ordered[1]:.2f} and {ordered[-2]:.2f}, "
        f"{rounds} times across its middle of {middle:.2f}.",
        since=series[0][0],
        figures={"least": ordered[1], "most": ordered[-2], "crossings": rounds},
        advice=advice.chosen(
            advice.penalty(history), advice.both_slower(history, 0.5), advice.gamma(history, 10)
        ),
    )
