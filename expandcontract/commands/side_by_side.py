"""Questions to others, asked at once and within one time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

Answer = TypeVar("Answer")


def side_by_side(questions: Mapping[str, Callable[[], Answer]], seconds: float) -> dict[str, Answer]:
    """
    The answers that came in time, by the names of the questions, none of which may raise.

    A library's own time-outs are for each of its reads, so a server that trickles would keep us for ever. What comes
    too late is left to itself.
    """
    found: dict[str, Answer] = {}

    def ask(name: str, question: Callable[[], Answer]) -> None:
        found[name] = question()

    threads = [threading.Thread(target=ask, args=asked, daemon=True) for asked in questions.items()]
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return dict(found)
