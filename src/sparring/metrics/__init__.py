"""Metrics: pure functions on features or samples, real first."""
