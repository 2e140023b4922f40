"""The explorer: one page, served on this machine, to play with a run."""
