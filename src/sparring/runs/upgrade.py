"""Upgrade the settings of format 1 to format 2, in which many settings and type tags have other names.

`run.json`, the metadata of `generator.safetensors` and `--config` files that copy a `run.json` are upgraded
when they are read; only format 2 is written. No torch, so that `doctor` and `report` start fast.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sparring.core.errors import ConfigError

FORMAT = 2  # of run.json and generator.safetensors

SECTION_FIELDS = {
    "data": {
        "groups": "pseudo_classes",
        "largest": "max_size",
        "other": "source_b",
        "sides": "pairing",
        "derive": "derive_input",
        "swap": "swap_domains",
        "other_channels": "channels_b",
        "jitter": "random_crop",
    },
    "training": {
        "images": "total_images",
        "half_life": "ema_half_life",
        "ramp": "ema_ramp",
        "save_seconds": "save_every_seconds",
        "grid": "sample_grid",
    },
}
TYPE_FIELDS = {  # by the type tag of format 1
    "adversarial": {"shared_fakes": "reuse_fakes", "joint": "joint_batch"},
    "variational": {"importance": "importance_samples"},
    "vae_gan": {"style": "feature_weight"},
    "naive_bayes": {"floor": "variance_floor", "shared": "shared_variance"},
    "discriminative": {"decay": "weight_decay"},
    "paired": {"joint": "joint_batch"},
    "cycle": {"pool": "pool_size", "joint": "joint_batch"},
    "one_sided": {
        "contrast": "nce",
        "patches": "num_patches",
        "features": "projection_size",
        "joint": "joint_batch",
    },
    "mlp": {"slope": "negative_slope"},
    "resnet": {"start": "start_size", "stop": "end_size", "flat": "flat_blocks", "downs": "downsamplings"},
    "r3gan": {"group": "group_size"},
    "patchgan": {"patch": "patch_size"},
    "standard_deviation": {"group": "group_size"},
    "dragan": {"spread": "noise_scale"},
    "linear": {"over": "duration", "begin": "delay"},
    "cosine": {"over": "duration", "begin": "delay", "warm_up": "warmup"},
    "geometric": {"over": "duration", "begin": "delay"},
}
TYPE_TAGS = {
    "discriminative": "classifier",
    "standard_deviation": "minibatch_stddev",
    "discrimination": "minibatch_discrimination",
    "one_centred": "gradient_penalty",
    "historical": "historical_averaging",
    "noise": "instance_noise",
}
LOST_ABOVE = {  # the objectives' `generator_lost_above`, by tag; format 1 does not store it
    "nonsaturating": 6.0,
    "relativistic": 6.0,
    "hinge": 0.9,
    "least_squares": 0.4,
    "minimax": -0.02,
}
HEAD_TAGS = {"linear": "unconditional"}  # `linear` is also a schedule, which keeps its tag


def upgrade(document: Mapping[str, Any]) -> dict[str, Any]:
    """A `run.json`, or the metadata of a `generator.safetensors`, in format 2; a newer one comes back unchanged.

    >>> about = {"format": 1, "game": {"type": "cycle", "pool": 6}, "other": [3, 16, 16]}
    >>> upgrade(about)
    {'format': 2, 'game': {'type': 'cycle', 'pool_size': 6}, 'shape_b': [3, 16, 16]}
    """
    if document["format"] != 1:
        return dict(document)
    upgraded = {**_rename(document, {"other": "shape_b"}), "format": FORMAT}
    if "game" in upgraded:
        upgraded["game"] = _upgrade_settings(upgraded["game"])
    for name, upgrade_part in (
        ("experiment", _upgrade_experiment),
        ("request", lambda part: _rename(part, {"other": "data_b"})),
        ("data", lambda part: _rename(part, {"other": "shape_b"})),
    ):
        if isinstance(upgraded.get(name), dict):
            upgraded[name] = upgrade_part(upgraded[name])
    return {**upgraded, **_objective_facts(upgraded.get("experiment"))}


def check_setting_names(assignments: Sequence[str]) -> None:
    """Raises ConfigError where `path=value` names a setting of the data or the training by its name of format 1."""
    for assignment in assignments:
        path = assignment.partition("=")[0]
        section, _, name = path.partition(".")
        new_name = SECTION_FIELDS.get(section, {}).get(name)
        if new_name is not None:
            raise ConfigError(
                f"--set {assignment}: no setting {path!r}",
                "a setting that exists",
                f"did you mean {section}.{new_name}?",
            )


def _objective_facts(experiment: Any) -> dict[str, Any]:
    """The entry `objective` of `run.json`, as `run_json.objective_facts` writes it; empty for games without an objective."""
    game = experiment.get("game") if isinstance(experiment, dict) else None
    objective = game.get("objective") if isinstance(game, dict) else None
    if not isinstance(objective, dict):
        return {}
    return {"objective": {"generator_lost_above": LOST_ABOVE.get(str(objective.get("type")))}}


def _upgrade_experiment(experiment: dict[str, Any]) -> dict[str, Any]:
    upgraded: dict[str, Any] = _upgrade_settings(experiment)
    for section, names in SECTION_FIELDS.items():
        if isinstance(upgraded.get(section), dict):
            upgraded[section] = _rename(upgraded[section], names)
    if isinstance(upgraded.get("data"), dict):
        # the first runs do not name a pairing: their data had one domain
        upgraded["data"] = {"pairing": "one", **upgraded["data"]}
    return upgraded


def _upgrade_settings(value: Any, field: str = "") -> Any:
    """`value` with the type tags and fields of all tables in it renamed; `field` is the one that holds it."""
    if isinstance(value, list):
        return [_upgrade_settings(item, field) for item in value]
    if not isinstance(value, dict):
        return value
    upgraded = {name: _upgrade_settings(item, name) for name, item in value.items()}
    tag = value.get("type")
    if not isinstance(tag, str):
        return upgraded
    upgraded["type"] = HEAD_TAGS.get(tag, tag) if field == "head" else TYPE_TAGS.get(tag, tag)
    return _rename(upgraded, TYPE_FIELDS.get(tag, {}))


def _rename(table: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    return {names.get(name, name): value for name, value in table.items()}
