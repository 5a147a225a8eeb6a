"""The library measured beside other programs."""
