"""Training: retraining and its checks, and one trainer at any size, on a core or on a cluster's GPUs."""
