"""Training: begin or resume a run, the loop (Algorithm 1), checkpoints, validation, diagnostics and previews."""
