"""The networks that embed audio."""
