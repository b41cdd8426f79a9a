"""From the parser's byte offsets to characters, lines and columns."""

from __future__ import annotations

from bisect import bisect_right


class Positions:
    """Answers for one text where a byte offset stands in it."""

    def __init__(self, text: str) -> None:
        self._bytes = text.encode("utf-8", "replace")
        self._ascii = len(self._bytes) == len(text)
        self._starts = [0]
        start = self._bytes.find(b"\n")
        while start >= 0:
            self._starts.append(start + 1)
            start = self._bytes.find(b"\n", start + 1)

    def character(self, offset: int) -> int:
        """Give the character offset, from 0."""
        if self._ascii:
            return offset
        return len(self._bytes[:offset].decode("utf-8", "ignore"))

    def place(self, offset: int) -> tuple[int, int]:
        """Give line and column, from 1."""
        line = bisect_right(self._starts, offset)
        start = self._starts[line - 1]
        if self._ascii:
            return line, offset - start + 1
        return line, len(self._bytes[start:offset].decode("utf-8", "ignore")) + 1
