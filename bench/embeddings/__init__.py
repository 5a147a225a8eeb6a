"""Benchmarks of the embeddings: how fast, and how good, beside ``bliss-audio`` and beside the plain way."""
