"""Distances between distributions, in closed form."""
