"""Image files: decoding and resizing."""
