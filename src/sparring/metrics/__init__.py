"""Metrics: pure functions on features or samples, real first."""

from sparring.metrics.checked import checked

__all__ = ["checked"]
