"""Core: errors, shapes, schedules, keyed randomness, configuration, storage, the device, and the contracts of games."""
