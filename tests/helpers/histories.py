"""Hand-made records: a healthy run, and one for each finding of the doctor."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from sparring.doctor import History
from sparring.experiment import Experiment
from sparring.recipes.table import TINY_RECIPES
from sparring.runs.run_json import objective_facts

REPORT, TOTAL = 1_000, 80_000
HEALTHY = {
    "discriminator/adversarial": 0.6,
    "generator/adversarial": 1.4,
    "discriminator/r1": 0.02,
    "discriminator/accuracy_real": 0.85,
    "discriminator/accuracy_fake": 0.8,
    "diag/diversity": 0.95,
    "diag/near_duplicates": 0.0,
    "diag/coverage": 0.9,
    "diag/modes": 8,
    "diag/modes_total": 8,
    "diag/clipped_pixels": 0.7,
    "diag/clipped_pixels_real": 0.75,
    "diag/logit_train": 1.5,
    "diag/logit_fake": -1.0,
    "diag/auc_real_vs_fake": 0.9,
    "diag/auc_held_out_vs_fake": 0.9,
    "diag/auc_train_vs_held_out": 0.52,
}


def history(
    changes: dict[str, Any] | None = None, since: int = 41_000, recipe: str = "auto", **more: Any
) -> History:
    """A run of `recipe` at image 60,000.

    Arguments:
        changes: by column, values (or functions of the images seen) from image `since` on.
        since: in images.
        more: fields of the history.
    """
    experiment = TINY_RECIPES[recipe]().to_json()
    experiment["training"]["total_images"] = TOTAL
    for player in experiment["optimizers"].values():
        player["lr"] = 1e-3
    rows = []
    for images in range(REPORT, 60_001, REPORT):
        wobble = 0.05 * ((images // REPORT) % 7 - 3)
        row = {"images": images, "step": images // 16, **HEALTHY}
        row |= {name: row[name] * (1 + wobble) for name in row if name.endswith("/adversarial")}
        for name, value in (changes or {}).items() if images >= since else ():
            row[name] = value(images) if callable(value) else value
        rows.append(row)
    checkpoints = (8_000, 32_000, 48_000, 56_000)
    fields = {"rows": rows, "num_train": 10_000, "checkpoints": checkpoints, **more}
    facts = objective_facts(Experiment.from_json(experiment))
    return History(run=Path("runs/x"), experiment=experiment, **facts, **fields)


def metric(images: int, value: float) -> dict[str, Any]:
    """An evaluation, as a line of evaluations.jsonl."""
    provenance = {"images": images}
    interval = {"low": value - 1, "high": value + 1, "method": ""}
    return {
        "protocol": "fd1k-pca-train",
        "values": {"fd": value},
        "interval": interval,
        "provenance": provenance,
    }


def swings(images: int) -> float:
    return 6.0 if images // REPORT % 4 < 2 else 0.2


LOST = {
    "discriminator/adversarial": 0.003,
    "generator/adversarial": 9.0,
    "discriminator/accuracy_real": 1.0,
    "discriminator/accuracy_fake": 1.0,
}
HEALTHY_TRANSLATOR = {
    "translator/adversarial": 1.1,
    "discriminator/adversarial": 0.5,
    "discriminator/accuracy": 0.8,
    "diag/diversity": 0.9,
    "diag/near_duplicates": 0.0,
    "diag/coverage": 0.8,
    "diag/input_change": 0.8,
}


def translated(changes: dict[str, Any] | None = None, recipe: str = "pix2pix") -> History:
    """A run of a translator at image 60,000, whose record changes at image 41,000."""
    run = history(recipe=recipe)
    rows = []
    for row in run.rows:
        images = row["images"]
        progress = {"translator/l1": 0.1 + 0.4 * 0.99 ** (images / 1_000), "translator/psnr": 18.0}
        late = changes or {} if images >= 41_000 else {}
        late = {name: value(images) if callable(value) else value for name, value in late.items()}
        rows.append({"images": images, "step": images // 16, **HEALTHY_TRANSLATOR, **progress, **late})
    return replace(run, rows=rows)


NO_HELD_OUT = dict.fromkeys(("diag/auc_train_vs_held_out", "diag/auc_held_out_vs_fake"))
CONSTANT = {"discriminator/adversarial": 0.69, "generator/adversarial": 0.69}
FAULTY: dict[str, History] = {
    "rescued": history(
        events=[
            {"event": "collapsed", "images": 41_000, "to": 32_000, "level": 1, "message": "it collapsed"},
            {
                "event": "gave_up",
                "images": 50_000,
                "to": 32_000,
                "total_images": TOTAL,
                "message": "it stopped",
            },
        ]
    ),
    "copies_input": translated({"diag/input_change": 0.01}, "cyclegan"),
    "patch_discriminator_wins": translated({"discriminator/accuracy": 1.0}),
    "no_progress": translated({"translator/l1": 0.5}),
    "divergence": history({"discriminator/adversarial": 400.0}),
    "non_finite_steps": history(events=[{"event": "rolled_back", "images": 41_000, "to": 32_000}]),
    "collapse": history({"diag/diversity": 0.02, "diag/near_duplicates": 0.98}),
    "missing_modes": history({"diag/modes": 2}),
    "discriminator_overfits": history({"diag/auc_train_vs_held_out": 0.99, "diag/auc_held_out_vs_fake": 0.2}),
    "copies_training_data": history(
        evaluations=[{"protocol": "auth1k-pca-train", "values": {"authenticity": 0.1}}]
    ),
    "discriminator_wins": history(LOST),
    "discriminator_useless": history({"diag/auc_real_vs_fake": 0.5, "diag/diversity": 0.4}),
    "low_diversity": history({"diag/diversity": 0.4, "diag/modes_total": None}),
    "metric_regression": history(
        evaluations=[
            metric(images, value)
            for images, value in ((20_000, 30.0), (32_000, 12.0), (48_000, 28.0), (56_000, 29.0))
        ]
    ),
    "oscillation": history({"generator/adversarial": swings}, since=0),
    "penalty_too_weak": history({"diag/logit_train": 30.0, "diag/logit_fake": -25.0}),
    "penalty_too_strong": history({"discriminator/r1": 9.0, "diag/auc_real_vs_fake": 0.62}),
    "clipped_pixels": history({"diag/clipped_pixels": 0.99}),
    "stalled_training": history(CONSTANT),
    "checkpoint_failed": history(
        events=[{"event": "checkpoint_failed", "images": 58_000, "message": "the disk is full"}]
    ),
    "few_samples": history(NO_HELD_OUT, since=0, recipe="dcgan", num_train=50),
}
