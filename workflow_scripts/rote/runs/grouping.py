"""How many members are best trained together: measured on the machine, within its memory.

A larger group spreads the cost of each call over more members, until its weights and activations
no longer fit the cache. Where that is differs by machine and by width, so it is timed, on the CPU.
Results do not depend on it, because a member's result does not depend on its company. On CUDA its
last bits do, and no cache ends the gain: there the memory decides alone.
"""

import time
from collections.abc import Iterator

from rote.machine.errors import UserError, brief

WORSE = 1.15  # stop doubling once the time per member exceeds the best by this factor
LESS = 0.97  # or once two sizes in a row were not faster than this part of the best before


class SizeSearch:
    """The search for the group size of the least time per member, by doubling up to the limit.

    Args:
        limit: the most members that a group may have, at least 1.
        first: the size that is measured first.
    """

    def __init__(self, limit: int, first: int = 1):
        self.limit = limit
        self.size = min(first, limit)  # to be measured next; once ``settled``, the best one
        self.settled = self.size == limit
        self._best, self._best_time = self.size, float("inf")
        self._in_vain = 0  # sizes since the last that was worth it

    @classmethod
    def fixed(cls, size: int) -> "SizeSearch":
        """Return a search that is over: groups have ``size`` members, as far as they fit."""
        search = cls(size)
        search.size, search.settled = size, True
        return search

    def record(self, size: int, seconds: float) -> None:
        """Enter the time that a group of ``size`` took for a fixed amount of work a member."""
        if self.settled or size != self.size:  # smaller than planned: the last of its members
            return
        each = seconds / size
        self._in_vain = 0 if each < LESS * self._best_time else self._in_vain + 1
        if each < self._best_time:
            self._best, self._best_time = size, each
        if each > WORSE * self._best_time or self._in_vain == 2 or size == self.limit:
            self.size, self.settled = self._best, True
        else:
            self.size = min(2 * size, self.limit)

    def does_not_fit(self, size: int, error: Exception) -> None:
        """Halve the size for good, because the memory did not hold a group of ``size``.

        Raises:
            UserError: it holds not even one member.
        """
        if size == 1:
            raise UserError(
                f"The memory does not hold a single model in training ({brief(error)}): make the "
                "model, the batch or the data smaller, or use a larger device."
            ) from error
        self.limit = self.size = size // 2
        self.settled = True


def groups(items: list, search: SizeSearch) -> Iterator[list]:
    """Split ``items`` into groups, and learn from the time that the caller takes for each.

    Once the search is settled the groups are as few as its size allows, equal to within one.
    """
    while items:
        size = min(search.size, len(items))
        if search.settled:
            count = -(-len(items) // size)
            size = -(-len(items) // count)
        # Of the processor: while other jobs keep it busy, the time on the clock says nothing. (With
        # several threads it is that of all: more of them seem slower than they are.)
        start = time.process_time()
        yield items[:size]
        search.record(size, time.process_time() - start)
        items = items[size:]
