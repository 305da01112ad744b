"""Builds the Debian packages: `python -m deploy.deb`. docs/packages.md says what is in them."""


class BuildError(Exception):
    """A package cannot be built; the sentence says why, and what to do."""
