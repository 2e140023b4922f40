"""Extractors: from pictures to features."""
