"""Files that are there whole or not at all, whenever whoever writes them dies."""

from __future__ import annotations

from pathlib import Path


def write_whole(path: Path, text: str, encoding: str = "utf-8") -> None:
    """
    Write `text` to `path`. Until it is complete it has another name, ``.<name>.part``, at which nothing else looks.

    Raises:
        OSError: it can't be written; what was there before is as it was.
    """
    path = path.resolve()  # a link stays one
    if path.exists() and not path.is_file():  # such as /dev/stdout
        path.write_text(text, encoding=encoding)
        return
    unfinished = path.with_name(f".{path.name}.part")
    unfinished.write_text(text, encoding=encoding)
    unfinished.replace(path)
