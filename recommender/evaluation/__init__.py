"""Measuring recommenders: metrics, bootstrap intervals and the protocol that applies both to a log."""
