"""Benchmarks of training the sequential model."""
