"""The terminal: progress of a run, and data, settings and times as text. No torch here."""
