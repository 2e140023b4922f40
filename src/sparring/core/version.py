"""The version number, which anything may import."""

__version__ = "0.1.0"
