"""Layers that networks share; each file names its paper."""
