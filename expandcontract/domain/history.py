"""The order of the history, where it has branches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def in_order(parents: Mapping[str, Sequence[str]], applied: Iterable[str]) -> tuple[str, ...]:
    """
    The revisions, each after its parents, and of those that may come next the one that was applied first.

    So of two branches the one that has been applied comes before the one that hasn't, and a revision that comes before
    an applied one without being applied itself has been put below it afterwards.

    Args:
        parents: each revision's parents; the mapping's own order decides between equals.
        applied: the revisions that have been applied, in their order; where one stands twice, its first place counts.

    Raises:
        ValueError: the history has a cycle.
    """
    place = {revision: number for number, revision in enumerate(dict.fromkeys(applied))}
    waiting = dict(parents)
    ordered: list[str] = []
    while waiting:
        ready = [revision for revision, above in waiting.items() if not any(parent in waiting for parent in above)]
        if not ready:
            raise ValueError(f"the history has a cycle among {', '.join(sorted(waiting))}")
        chosen = min(ready, key=lambda revision: place.get(revision, len(place)))
        ordered.append(chosen)
        del waiting[chosen]
    return tuple(ordered)
