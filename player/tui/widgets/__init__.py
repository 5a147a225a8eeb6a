"""What the screens are made of; each widget draws one part of a snapshot."""
