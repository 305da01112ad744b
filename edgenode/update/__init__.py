"""A new system in the other slot, kept only when the node proves well on it."""
