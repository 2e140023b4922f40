"""The doctor: what is wrong with a run, in plain words, with the figures behind it."""
