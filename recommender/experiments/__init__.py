"""Experiments that are kept: a run with its configuration, data, versions, figures and pictures, and its repetition."""
