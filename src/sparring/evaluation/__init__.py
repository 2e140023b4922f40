"""Evaluation: from a request to results. `evaluate.evaluate` is the whole course, top to bottom.

request (what to evaluate, opened) -> reference_data or translation_data (real samples) -> samples (generated samples)
-> feature_bank (features, computed once) -> measure (one protocol) -> compute (one function per metric) -> baselines
(scores of real samples and of trivial translations) -> result (values, intervals, comparison) -> summary (table,
sentences, JSON, Markdown).
"""
