"""The demo: the whole road on one machine, disturbed on purpose, and accounted for."""
