"""What a file says of itself, for people and programs that have nothing but the file."""

import json
from collections.abc import Mapping
from typing import Any

from sparring import __version__
from sparring.export.graph import Graph
from sparring.games.classification import Kept
from sparring.games.generation import Generation


def facts_of(kept: Kept, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Recipe, classes, units, and what the samples are."""
    spec = kept.spec
    about: dict[str, Any] = {
        "sparring": __version__,
        "recipe": facts["recipe"],
        "images": facts["images"],
        "shape": list(spec.shape),
        "classes": list(facts["classes"]) if spec.classes else [],
        "units": dict(facts["units"]),
    }
    if spec.other is not None:
        about["other"] = list(spec.other)
    if isinstance(kept, Generation):
        about["latent"] = kept.latent
    return about


def described(kept: Kept, facts: Mapping[str, Any], graph: Graph) -> str:
    """The same as JSON, with the names of what goes in and comes out."""
    sides = {
        name: {str(side): many for side, many in free.items()}
        for name, free in zip(graph.inputs, graph.free, strict=True)
    }
    about = {"graph": graph.name, "inputs": list(graph.inputs), "output": graph.output, "multiples": sides}
    return json.dumps({**facts_of(kept, facts), **about}, allow_nan=False)
