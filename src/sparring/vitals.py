"""Numbers that tell how a match is doing."""
