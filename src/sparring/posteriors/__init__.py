"""Posteriors: the families that an encoder chooses from."""
