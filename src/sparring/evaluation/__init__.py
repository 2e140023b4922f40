"""Evaluation: protocols with names that fix everything, and what comes of them."""
