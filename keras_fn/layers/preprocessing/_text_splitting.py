"""Standardization and splitting of text, for all lines of a batch together."""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from keras_fn.core.byte_strings import PADDING, ByteStrings, pack_bytes, pad_buffer
from keras_fn.errors import SpecError

PUNCTUATION = b"!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
WHITESPACE = b"\t\n\v\f\r "
_UPPER = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"
# One of these that is in no line separates the lines of a batch. None is whitespace or punctuation,
# but for the first one, which becomes whitespace where it is not the separator.
_SEPARATORS = "\n\0\1\2\3\4\5\6\7\b\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d"
_SPACE = 32
_ENCODING = ("utf-8", "surrogateescape")  # invalid bytes become themselves again


class TokenRows(NamedTuple):
    """The tokens of some lines.

    Attributes:
        tokens: The tokens of all lines, one line after the other.
        row_lengths: The number of tokens of each line: int64.
    """

    tokens: ByteStrings
    row_lengths: np.ndarray


def encode_text(strings: Sequence[str]) -> list[bytes]:
    """Returns strings in UTF-8.

    Args:
        strings: The strings.
    """
    return [string.encode(*_ENCODING) for string in strings]


def split_lines(lines: Sequence[str], standardize: str | None, split: str | None) -> TokenRows:
    """Returns the tokens of some lines.

    Args:
        lines: The lines.
        standardize: `"lower"` (the letters of ASCII), `"strip_punctuation"` (that of ASCII),
            `"lower_and_strip_punctuation"`, or None.
        split: `"whitespace"` (that of ASCII), `"character"`, or None: each line is a token.

    Example:
        >>> split_lines(["The cat.", "sat"], "lower", "whitespace").tokens.tolist()
        [b'the', b'cat.', b'sat']
    """
    if not len(lines):
        return TokenRows(pack_bytes([]), np.zeros(0, np.int64))
    separator = next((s for s in _SEPARATORS if s.join(lines).count(s) == len(lines) - 1), None)
    if separator is None:  # all of them are in the text
        return _split_one_by_one(lines, standardize, split)
    data = _encode(separator.join(lines), is_valid=split == "character")
    mapping, removed = _translation(standardize, split == "whitespace", separator)
    if mapping is not None or removed:
        data = data.translate(mapping, removed)
    return _SPLITTERS[split](pad_buffer(data), ord(separator))


def _encode(text: str, is_valid: bool) -> bytes:
    """Returns text in UTF-8.

    Args:
        text: The text, with surrogates for bytes that were not valid.
        is_valid: Whether these bytes become U+FFFD, as only valid UTF-8 has characters.
    """
    try:
        return text.encode()
    except UnicodeEncodeError:
        pass
    try:
        data = text.encode(*_ENCODING)
    except UnicodeEncodeError as error:
        raise SpecError(
            "Text",
            expected="characters of Unicode",
            received=f"{error.object[error.start : error.end][:10]!r}, half of a surrogate pair",
            fix="decode the text again, with errors='replace'",
        ) from None
    return data.decode("utf-8", "replace").encode() if is_valid else data


def _translation(
    standardize: str | None, is_splitting: bool, separator: str
) -> tuple[bytes | None, bytes]:
    """Returns the table and the bytes to remove with which `bytes.translate` standardizes."""
    table = bytearray(range(256))
    if standardize in ("lower", "lower_and_strip_punctuation"):
        for letter in _UPPER:
            table[letter] += _SPACE
    if is_splitting:
        for character in WHITESPACE:
            if character != ord(separator):
                table[character] = _SPACE
    removes = standardize in ("strip_punctuation", "lower_and_strip_punctuation")
    mapping = None if table == bytes(range(256)) else bytes(table)
    return mapping, PUNCTUATION if removes else b""


def _split_at_whitespace(buffer: np.ndarray, separator: int) -> TokenRows:
    text = buffer[:-PADDING]
    is_token = np.zeros(len(text) + 2, bool)
    is_separator = text == separator
    np.logical_not(is_separator | (text == _SPACE), out=is_token[1:-1])
    edges = np.flatnonzero(is_token[1:] != is_token[:-1])
    starts = edges[0::2]
    ends = np.searchsorted(starts, np.flatnonzero(is_separator))  # tokens before each line's end
    row_lengths = np.diff(np.concatenate([[0], ends, [len(starts)]]))
    return TokenRows(ByteStrings(buffer, starts, edges[1::2] - starts), row_lengths)


def _split_into_characters(buffer: np.ndarray, separator: int) -> TokenRows:
    text = buffer[:-PADDING]
    starts = np.flatnonzero((text & 0xC0) != 0x80)  # not inside of a character
    lengths = np.diff(np.append(starts, len(text)))
    is_character = text[starts] != separator
    ends = np.flatnonzero(~is_character)
    row_lengths = np.diff(np.concatenate([[-1], ends, [len(starts)]])) - 1
    return TokenRows(ByteStrings(buffer, starts[is_character], lengths[is_character]), row_lengths)


def _keep_whole(buffer: np.ndarray, separator: int) -> TokenRows:
    text = buffer[:-PADDING]
    edges = np.concatenate([[-1], np.flatnonzero(text == separator), [len(text)]])
    tokens = ByteStrings(buffer, edges[:-1] + 1, np.diff(edges) - 1)
    return TokenRows(tokens, np.ones(len(edges) - 1, np.int64))


_SPLITTERS: dict[str | None, Callable[[np.ndarray, int], TokenRows]] = {
    "whitespace": _split_at_whitespace,
    "character": _split_into_characters,
    None: _keep_whole,
}


def _split_one_by_one(
    lines: Sequence[str], standardize: str | None, split: str | None
) -> TokenRows:
    mapping, removed = _translation(standardize, split == "whitespace", " ")
    rows: list[list[bytes]] = []
    for line in lines:
        data = _encode(line, is_valid=split == "character").translate(mapping, removed)
        if split == "character":
            rows.append(encode_text(data.decode()))
        else:
            rows.append(data.split() if split == "whitespace" else [data])
    return to_token_rows(rows)


def to_token_rows(rows: Sequence[Sequence[bytes]]) -> TokenRows:
    """Returns lists of tokens, one for each line, as one object.

    Args:
        rows: The tokens of each line.
    """
    lengths = np.fromiter(map(len, rows), np.int64, len(rows))
    return TokenRows(pack_bytes(list(chain.from_iterable(rows))), lengths)


# ---------------------------------------------------------------- n-grams


def make_ngrams(rows: TokenRows, widths: Sequence[int]) -> TokenRows:
    """Returns the n-grams of each line: successive tokens, joined by spaces.

    Args:
        rows: The tokens.
        widths: The numbers of tokens that are joined. All n-grams of the first width come first.

    Example:
        >>> rows = split_lines(["a b c"], None, "whitespace")
        >>> make_ngrams(rows, (1, 2)).tokens.tolist()
        [b'a', b'b', b'c', b'a b', b'b c']
    """
    tokens = _join_by_spaces(rows)
    ends = tokens.starts + tokens.lengths
    first = np.cumsum(rows.row_lengths) - rows.row_lengths
    counts = np.stack([np.maximum(rows.row_lengths - width + 1, 0) for width in widths])
    row_lengths = counts.sum(axis=0)
    begins = np.cumsum(row_lengths) - row_lengths  # of the n-grams of each row
    starts = np.empty(int(row_lengths.sum()), np.int64)
    lengths = np.empty_like(starts)
    for width, count in zip(widths, counts, strict=True):
        position = np.arange(int(count.sum())) - np.repeat(np.cumsum(count) - count, count)
        index = np.repeat(first, count) + position
        target = np.repeat(begins, count) + position
        starts[target] = tokens.starts[index]
        lengths[target] = ends[index + width - 1] - tokens.starts[index]
        begins = begins + count
    return TokenRows(ByteStrings(tokens.buffer, starts, lengths), row_lengths)


def _join_by_spaces(rows: TokenRows) -> ByteStrings:
    """Returns the tokens in a buffer where a space follows each: n-grams are parts of it."""
    buffer, starts, lengths = rows.tokens
    if not len(starts):
        return rows.tokens
    follows = np.ones(len(starts), bool)  # whether there is a token before in the same row
    firsts = np.cumsum(rows.row_lengths) - rows.row_lengths
    follows[firsts[rows.row_lengths > 0]] = False
    gaps = starts - np.roll(starts + lengths, 1)
    if np.all((gaps == 1)[follows]) and np.all(buffer[starts[follows] - 1] == _SPACE):
        return rows.tokens
    sizes = lengths + 1
    begins = np.cumsum(sizes) - sizes
    total = int(sizes.sum())
    joined = buffer[np.arange(total) + np.repeat(starts - begins, sizes)]
    joined[begins + lengths] = _SPACE
    return ByteStrings(pad_buffer(joined), begins, lengths)
