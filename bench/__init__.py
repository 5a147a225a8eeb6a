"""Benchmarks: `make bench` runs them all and prints tables; none of them is a test."""
