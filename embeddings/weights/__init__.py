"""Weights: found, fetched, verified, and read as untrusted data."""
