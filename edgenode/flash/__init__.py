"""Writing an image to a card, and never to anything else."""
