"""Trials: two ways of choosing in turn on one station, and off-policy evaluation."""
