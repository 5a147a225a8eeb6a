"""Training: retraining and its checks, and one trainer at any size, on a core, on a GPU, under ``torchrun``."""
