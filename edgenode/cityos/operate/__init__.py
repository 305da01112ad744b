"""For the city's operator: how the nodes are, what replaced what, and a node's report."""
