"""Benchmarks of the sound, beside other players where that means something."""
