"""Feedback: the append-only event log, what counts as feedback, labels, and the state derived from them."""
