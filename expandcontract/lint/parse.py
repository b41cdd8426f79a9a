"""
PostgreSQL's own parser, as shipped in the postgast wheel; the only module that knows it.

The wheel's Python layer builds protobuf classes at import, at the price of parsing thousands of statements.
We need only a few C functions of the libpg_query in it, which answer in JSON: they are called directly.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from expandcontract.lint.value import Value

Node = dict[str, Any]
"""One node of the parse tree: libpg_query's JSON, where absent keys mean zero, false or empty."""

_COMMENT_TOKENS = (275, 276)  # SQL_COMMENT and C_COMMENT of pg_query.proto
_IDENTIFIER_TOKENS = (258, 259)  # IDENT and UIDENT
_LONGEST_TRY = 20  # semicolons looked at for the end of a statement where the scanner gave up
_PROMISED = re.compile(rb"(?<=[\[,])\{\}\}")
_LIBRARIES = {"darwin": "libpg_query.dylib", "win32": "pg_query.dll"}


class ParserMissingError(RuntimeError):
    """The postgast wheel isn't installed, or carries no library for this platform."""


class SyntaxFault(Value):
    """What PostgreSQL's parser said, and the byte offset it pointed at."""

    message: str
    offset: int


class Piece(Value):
    """
    One statement of a text: its byte range, and either its tree or the fault that the parser found.

    Locations inside the tree count from ``base``.
    """

    start: int
    end: int
    tree: Node | None
    base: int = 0
    fault: SyntaxFault | None = None


class Token(Value):
    """A comment or an identifier as it stands in the text, with its byte range."""

    start: int
    end: int
    is_comment: bool


class _Error(ctypes.Structure):
    _fields_ = (
        ("message", ctypes.c_char_p),
        ("funcname", ctypes.c_char_p),
        ("filename", ctypes.c_char_p),
        ("lineno", ctypes.c_int),
        ("cursorpos", ctypes.c_int),
        ("context", ctypes.c_char_p),
    )


class _ParseResult(ctypes.Structure):
    _fields_ = (("tree", ctypes.c_char_p), ("stderr", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _PlpgsqlResult(ctypes.Structure):
    _fields_ = (("functions", ctypes.c_char_p), ("error", ctypes.POINTER(_Error)))


class _Range(ctypes.Structure):
    _fields_ = (("location", ctypes.c_int), ("length", ctypes.c_int))


class _SplitResult(ctypes.Structure):
    _fields_ = (
        ("ranges", ctypes.POINTER(ctypes.POINTER(_Range))),
        ("count", ctypes.c_int),
        ("stderr", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


class _ScanResult(ctypes.Structure):
    _fields_ = (
        ("length", ctypes.c_size_t),
        ("data", ctypes.c_void_p),
        ("stderr", ctypes.c_char_p),
        ("error", ctypes.POINTER(_Error)),
    )


@cache
def _library() -> ctypes.CDLL:
    spec = importlib.util.find_spec("postgast")
    if spec is None or not spec.submodule_search_locations:
        raise ParserMissingError("the package postgast is not installed; pip install postgast")
    path = Path(spec.submodule_search_locations[0]) / _LIBRARIES.get(sys.platform, "libpg_query.so")
    if not path.is_file():
        raise ParserMissingError(f"postgast carries no parser for this platform: {path} is missing")
    library = ctypes.CDLL(str(path))
    results = {
        "pg_query_parse": (_ParseResult, "pg_query_free_parse_result"),
        "pg_query_parse_plpgsql": (_PlpgsqlResult, "pg_query_free_plpgsql_parse_result"),
        "pg_query_split_with_scanner": (_SplitResult, "pg_query_free_split_result"),
        "pg_query_scan": (_ScanResult, "pg_query_free_scan_result"),
    }
    for name, (result, free) in results.items():
        getattr(library, name).argtypes = [ctypes.c_char_p]
        getattr(library, name).restype = result
        getattr(library, free).argtypes = [result]
        getattr(library, free).restype = None
    return library


def pieces(text: bytes) -> Iterator[Piece]:
    """
    Give every statement of the text, in order, each with its tree or with the fault in it.

    One bad statement doesn't hide the others: the whole text is tried first, and split only when that fails.
    """
    parsed = _parse(text)
    if not isinstance(parsed, SyntaxFault):
        yield from parsed
        return
    for start, end in _split(text):
        piece = _parse(text[start:end])
        if isinstance(piece, SyntaxFault):
            yield Piece(start, end, None, fault=SyntaxFault(piece.message, start + piece.offset))
        else:
            yield from (Piece(start + each.start, start + each.end, each.tree, start) for each in piece)


def tokens(text: bytes) -> list[Token]:
    """Give the comments and identifiers of the text; empty when the scanner can't read it to its end."""
    wanted = (*_COMMENT_TOKENS, *_IDENTIFIER_TOKENS)
    return [Token(start, end, kind in _COMMENT_TOKENS) for start, end, kind, _ in _scan(text) if kind in wanted]


def words(text: bytes) -> list[str]:
    """Give all tokens but the comments, names and keywords folded; empty where the scanner can't read the text."""
    found = []
    for start, end, kind, is_keyword in _scan(text):
        word = text[start:end].decode("utf-8", "replace")
        folds = is_keyword or (kind in _IDENTIFIER_TOKENS and not word.startswith('"'))
        if kind not in _COMMENT_TOKENS:
            found.append(word.lower() if folds else word)
    return found


def _scan(text: bytes) -> list[tuple[int, int, int, bool]]:
    result = _library().pg_query_scan(text)
    try:
        if result.error:
            return []
        return list(_decode_scan(ctypes.string_at(result.data, result.length)))
    finally:
        _library().pg_query_free_scan_result(result)


def parse_plpgsql(statement: str) -> Node | None:
    """Give the tree of a DO block's or function's PL/pgSQL body; None when the parser can't read it."""
    result = _library().pg_query_parse_plpgsql(statement.encode("utf-8", "replace"))
    try:
        if result.error:
            return None
        functions = _load_functions(result.functions)
    except (ValueError, RecursionError):
        return None
    finally:
        _library().pg_query_free_plpgsql_parse_result(result)
    found: Node | None = functions[0].get("PLpgSQL_function") if functions else None
    return found


def _load_functions(text: bytes) -> Any:
    """For a trigger function libpg_query leaves an opening brace out of each variable that PL/pgSQL promises it."""
    try:
        return json.loads(text)
    except ValueError:
        return json.loads(_PROMISED.sub(b"{}", text))


def _parse(text: bytes) -> list[Piece] | SyntaxFault:
    result = _library().pg_query_parse(text)
    try:
        if result.error:
            error = result.error.contents
            return SyntaxFault(error.message.decode("utf-8", "replace"), _byte_offset(text, error.cursorpos))
        statements = json.loads(result.tree).get("stmts", [])
    except RecursionError:
        return SyntaxFault("nested too deeply to be read", 0)
    finally:
        _library().pg_query_free_parse_result(result)
    return [_piece(text, raw) for raw in statements if raw.get("stmt")]


def _piece(text: bytes, raw: Node) -> Piece:
    start = raw.get("stmt_location", 0)
    length = raw.get("stmt_len", 0)  # 0 means: to the end of the text
    end = start + length if length else len(text)
    return Piece(start, end, raw["stmt"])


def _byte_offset(text: bytes, cursor: int) -> int:
    """Turn the parser's character position, counted from 1, into a byte offset."""
    if cursor <= 1:
        return 0
    return min(len(text.decode("utf-8", "replace")[: cursor - 1].encode("utf-8")), len(text))


def _split(text: bytes) -> list[tuple[int, int]]:
    result = _library().pg_query_split_with_scanner(text)
    try:
        if result.error:  # an unterminated quote: the scanner can't tell where statements end
            return _split_at_semicolons(text)
        ranges = [result.ranges[number].contents for number in range(result.count)]
        return _with_the_rest(text, [(each.location, each.location + each.length) for each in ranges])
    finally:
        _library().pg_query_free_split_result(result)


def _with_the_rest(text: bytes, ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Add what the scanner leaves out because there is no keyword in it, such as ``SELEC 1``: nothing may get lost."""
    rest: list[tuple[int, int]] = []
    goes_on, position = False, 0
    for start, end, kind, _ in _scan(text):
        while position < len(ranges) and ranges[position][1] <= start:
            position += 1
        if text[start:end] == b";" or (position < len(ranges) and ranges[position][0] <= start):
            goes_on = False
        elif kind not in _COMMENT_TOKENS:
            first = rest.pop()[0] if goes_on else start
            rest.append((first, end))
            goes_on = True
    return sorted([*ranges, *rest])


def _split_at_semicolons(text: bytes) -> list[tuple[int, int]]:
    """Cut where the text up to a semicolon can be parsed; what never can is cut at its first semicolon."""
    cuts = [position + 1 for position, byte in enumerate(text) if byte == ord(";")]
    ranges, start = [], 0
    while start < len(text):
        ahead = [cut for cut in cuts if cut > start][:_LONGEST_TRY] or [len(text)]
        whole = [cut for cut in ahead if not isinstance(_parse(text[start:cut]), SyntaxFault)]
        end = whole[0] if whole else ahead[0]
        ranges.append((start, end))
        start = end
    return ranges


def _decode_scan(data: bytes) -> Iterator[tuple[int, int, int, bool]]:
    """Read protobuf's ScanResult: field 2 repeats ScanToken: start 1, end 2, token 4, kind of keyword 5."""
    for field, value in _protobuf_fields(data):
        if field == 2 and isinstance(value, bytes):
            token = {number: content for number, content in _protobuf_fields(value) if isinstance(content, int)}
            yield token.get(1, 0), token.get(2, 0), token.get(4, 0), token.get(5, 0) > 0


def _protobuf_fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    position = 0
    while position < len(data):
        key, position = _varint(data, position)
        value, position = _varint(data, position)
        if key & 7 == 2:
            yield key >> 3, data[position : position + value]
            position += value
        else:
            yield key >> 3, value


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        value |= (byte & 0x7F) << shift
        position += 1
        if byte < 0x80:
            return value, position
        shift += 7
