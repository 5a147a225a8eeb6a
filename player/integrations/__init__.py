"""Other players and services: their histories come in, one's own history goes out."""
