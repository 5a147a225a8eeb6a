"""Learning from the listener's own log: retraining, the served model, automatic training."""
