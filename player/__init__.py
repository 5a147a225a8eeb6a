"""A terminal music player that learns from thumbs and skips."""

__version__ = "0.1.0"
