"""Sparring: train, judge and use generative adversarial networks and their relatives on your own data."""

__version__ = "0.1.0"
