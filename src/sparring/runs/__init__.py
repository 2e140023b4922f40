"""Runs: `run.json`, records, checkpoints, the generator file, and the request a run starts from."""
