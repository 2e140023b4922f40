"""Likelihoods: how a decoder's answer becomes a distribution over samples."""
