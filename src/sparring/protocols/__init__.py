"""Evaluation protocols: names, descriptions and defaults of the metrics; limits of the diagnostics of training. No torch."""
