"""Files become tracks: scan, tags, identity, search, and their vectors in the database."""
