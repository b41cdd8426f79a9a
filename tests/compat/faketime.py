"""Where libfaketime is."""

from __future__ import annotations

from pathlib import Path

_PLACES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib/faketime/libfaketime.so.1")
_FOUND = [file for place in _PLACES for file in sorted(Path("/").glob(place.lstrip("/")))]
LIBRARY = _FOUND[0] if _FOUND else None
