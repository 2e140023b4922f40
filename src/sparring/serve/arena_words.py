"""What happens in the arena, in words for someone who has never seen this game."""

from typing import Any

from sparring.serve.arena_rules import Rules

EARLY = 60  # steps before which nothing is said of the outcome


def said(frame: dict[str, Any], rules: Rules) -> str:
    """One or two sentences on a frame."""
    if frame["lost"] is not None:
        return (
            f"Diverged: step {frame['lost']} gave numbers that are not finite, so the game is over. Lower the learning rates, or "
            "take a penalty that keeps the judge's slopes small, and start anew."
        )
    if frame["step"] == 0:
        return (
            "The generator turns noise into points, and knows nothing yet. Press play: the judge learns where the real points are, "
            "and the made ones follow its slopes."
        )
    if frame.get("outside", 0) > 250:
        return (
            "Most of the made points have left the picture: the steps are too large for this judge. A lower learning rate or a "
            "penalty brings them back."
        )
    if frame["step"] < EARLY:
        return "The judge is learning where the real points are; the made points begin to follow the arrows."
    return of_mixture(frame) if "modes" in frame else of_others(frame)


def of_mixture(frame: dict[str, Any]) -> str:
    """Of ring and grid, whose modes can be counted."""
    held, of, sharp = frame["modes"], frame["modes_of"], frame["on_target"]
    if held == of:
        if sharp > 0.5:
            return f"All {of} modes are held, and most points are on target. Watch whether it stays so."
        return f"All {of} modes are held; now the points have to gather: {sharp:.0%} are as close to a mode as real ones are."
    if frame["diversity"] < (0.6 if held <= of / 4 else 0.35):
        return (
            f"Mode collapse: the made points crowd together and hold {held} of {of} modes. The judge will learn to call that "
            "place made, and they will all run elsewhere."
        )
    if held >= of / 2:
        return f"{held} of {of} modes are held. Will the missing ones be found, or those that were found be lost again?"
    return f"{held} of {of} modes are held. The points spread, or wander: look at the arrows."


def of_others(frame: dict[str, Any]) -> str:
    """Of sets without modes."""
    reached = frame["reached"]
    if frame["diversity"] < 0.35:
        return (
            "Collapse: the made points crowd together, far less varied than the real ones. The judge will learn that, and they "
            "will run elsewhere."
        )
    if reached > 0.85:
        return "The made points reach as many places as fresh real points do. Watch whether it stays so."
    return f"The made points reach {reached:.0%} of the places that fresh real points reach."
