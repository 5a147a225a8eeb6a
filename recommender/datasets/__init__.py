"""Readers of public and private feedback files, all giving one :class:`recommender.datasets.dataset.Dataset`."""
