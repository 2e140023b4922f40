"""A page of translated pictures with a slider between input, output and truth. It holds its pictures and needs no server."""

from sparring.gallery.page import Gallery

__all__ = ["Gallery"]
