"""The proof that a node works where it stands, and its signed record."""
