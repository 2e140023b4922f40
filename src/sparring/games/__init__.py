"""The algorithms: who plays, with which terms, in which order."""

from sparring.games.adversarial import AdversarialConfig

GAMES: dict[str, type] = {"adversarial": AdversarialConfig}
