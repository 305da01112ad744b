"""What one sensor measures and another measures better by, such as the humidity of a gas sensor."""

from __future__ import annotations

from collections.abc import Mapping

from edgenode.driver import Driver
from edgenode.sensing.board import Board


class Lending:
    """Lends one driver the newest good values of others, by the `sources` of its sensor."""

    def __init__(self, sources: Mapping[str, str], board: Board) -> None:
        self._sources, self._board = sources, board
        for name in sources.values():
            board.want(name)

    def lend(self, driver: Driver, now_ms: int) -> None:
        """Tell the driver what it borrows; None where a value is older than two periods."""
        for quantity, name in self._sources.items():
            if quantity in driver.borrows:
                posted = self._board.fresh(name, now_ms)
                driver.lend(quantity, posted.value if posted else None)
