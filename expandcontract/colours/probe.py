"""
The router itself, asked as a client would: a response header says which colour answered.

For nginx and every other proxy whose configuration says what is meant, and not what its workers do until the reload.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from expandcontract.colours.http_request import check_address, request
from expandcontract.colours.source import Answer, Scene, Unanswered


@dataclass(frozen=True)
class Probe:
    """A share so small that none of the requests meets it isn't seen, so pair it with the sessions."""

    url: str  # through the router
    header: str  # such as X-Colour, which each colour sets for itself
    requests: int = 20  # how often it is asked, each time over a new connection

    def __post_init__(self) -> None:
        check_address(self.url)

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        seen: Counter[str] = Counter()
        for number in range(1, self.requests + 1):
            response = request(self.url, seconds=scene.seconds, headers={"Connection": "close"})
            colour = response.headers.get_all(self.header) or []
            if len(colour) != 1 or not colour[0].strip():
                words = f"{len(colour)} times" if colour else "no"
                raise Unanswered(f"an answer with {words} header {self.header} (request {number})")
            seen[colour[0].strip()] += 1
        said = ", ".join(f"{name} {count}" for name, count in sorted(seen.items()))
        return Answer(dict(seen), f"{said} of {self.requests} answers ({self.header})")
