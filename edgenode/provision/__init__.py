"""Who a node is: its document, its first boot, its key and certificates."""
