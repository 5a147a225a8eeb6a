"""``player experiment``: measuring on data sets and stored logs."""
