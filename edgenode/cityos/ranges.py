"""Arithmetic of inclusive integer ranges, of seqs or of ordinals."""

from __future__ import annotations

from collections.abc import Iterable

Range = tuple[int, int]


def union(parts: Iterable[Range]) -> list[Range]:
    """Return the same numbers as ascending, disjoint ranges that do not touch."""
    joined: list[Range] = []
    for first, last in sorted(parts):
        if last < first:
            continue
        if joined and first <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def minus(wanted: Iterable[Range], gone: Iterable[Range]) -> list[Range]:
    """Return the numbers of `wanted` that are not in `gone`."""
    left: list[Range] = []
    cuts = union(gone)
    i = 0
    for first, last in union(wanted):
        start = first
        while i < len(cuts) and cuts[i][1] < start:
            i += 1
        j = i
        while j < len(cuts) and cuts[j][0] <= last:
            if cuts[j][0] > start:
                left.append((start, cuts[j][0] - 1))
            start = cuts[j][1] + 1
            j += 1
        if start <= last:
            left.append((start, last))
    return left


def holes(held: Iterable[Range], lowest: int) -> list[Range]:
    """Return what is missing between `lowest` and the highest number held."""
    ranges = union(held)
    return minus([(lowest, ranges[-1][1])], ranges) if ranges else []


def size(parts: Iterable[Range]) -> int:
    """Return how many numbers disjoint ranges hold."""
    return sum(last - first + 1 for first, last in parts)
