"""The survey: short clips to like or dislike."""
