"""Evaluation protocols: names, descriptions and defaults of the metrics. No torch."""
