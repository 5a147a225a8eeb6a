"""Tags of every system as they stand in a file, and the one table that makes fields of them."""
