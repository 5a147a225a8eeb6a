"""Front-ends that are other programs."""
