"""A file with the colour in it, or a link that points to it. It says what is meant, not what is so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from expandcontract.colours.source import Answer, Scene, Unanswered
from expandcontract.colours.words import weights_in

_LARGEST = 100_000  # bytes


@dataclass(frozen=True)
class File:
    """Where the answer is a file, its first line counts."""

    path: str  # of the file or the link
    link: bool = False  # the name that the link points to is the colour: current → green

    def ask(self, scene: Scene) -> Answer:
        """See `Source.ask`."""
        path = Path(self.path)
        try:
            changed = datetime.fromtimestamp(path.lstat().st_mtime, UTC)
            if self.link:
                target = path.readlink()
                return Answer(weights_in(target.name), f"{path} → {target}", changed)
            with path.open("rb") as file:
                lines = file.read(_LARGEST).decode("utf-8").splitlines()
        except (OSError, ValueError) as error:
            raise Unanswered(f"nothing: {path}: {getattr(error, 'strerror', None) or error}") from None
        line = lines[0] if lines else ""
        return Answer(weights_in(line), f"{line.strip()!r} in {path}", changed)
