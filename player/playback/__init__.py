"""Playback: the player state, the commands that change it, the queue loop, and the headless player."""
