"""What plays next, and what was thought of it."""
