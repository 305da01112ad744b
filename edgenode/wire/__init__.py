"""edge-batch v1 as pure functions: frozen values to bytes and back, with every limit enforced."""
