"""The image of a node's card, made of Debian packages (`make image`); docs/image.md tells of it."""
