"""Readers: one file a format or layout; each ends in a `Dataset`."""
