"""How many members are best trained together: measured on the machine, within its memory.

A larger group spreads the cost of each call over more members, until its weights and activations
no longer fit the cache. Where that is differs by machine and by width, so it is timed. Results do
not depend on it, because a member's result does not depend on its company.
"""

from collections.abc import Callable
from itertools import pairwise

WORSE = 1.1  # stop doubling once the time per member exceeds the best by this factor


def best_size(seconds: Callable[[int], float], limit: int) -> int:
    """Return the group size, up to ``limit``, of the least time per member.

    Args:
        seconds: measures the time that a group of the given size takes for some fixed work.
        limit: the most members that a group may have, at least 1.
    """
    best, best_time, size = 1, float("inf"), 1
    while limit > 1 and size <= limit:
        time = seconds(size) / size
        if time < best_time:
            best, best_time = size, time
        elif time > WORSE * best_time:
            break
        size *= 2
    return best


def evened(items: list, size: int) -> list[list]:
    """Split ``items`` into as few groups of up to ``size`` as possible, equal to within one."""
    groups = -(-len(items) // size)
    small, larger = divmod(len(items), groups)
    ends = [0]
    for group in range(groups):
        ends.append(ends[-1] + small + (group < larger))
    return [items[a:b] for a, b in pairwise(ends)]
