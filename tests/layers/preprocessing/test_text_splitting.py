"""Standardization, splitting and n-grams of many lines together, and the table of tokens."""

import random
import string
from collections import Counter

import numpy as np
import pytest

from keras_fn.core.byte_strings import pack_bytes
from keras_fn.core.host_rows import RaggedRows
from keras_fn.errors import SpecError
from keras_fn.layers.preprocessing._text_splitting import make_ngrams, split_lines
from keras_fn.layers.preprocessing._token_table import (
    IntegerTable,
    TokenTable,
    _keys,
    count_tokens,
)

STANDARDIZATIONS = (None, "lower", "strip_punctuation", "lower_and_strip_punctuation")
CONTROL = "".join(map(chr, range(32)))


def split_line(line, standardize, split):
    """The tokens of one line, character by character."""
    if "lower" in (standardize or ""):
        line = "".join(c.lower() if c in string.ascii_uppercase else c for c in line)
    if "strip" in (standardize or ""):
        line = "".join(c for c in line if c not in string.punctuation)
    if split == "character":
        return [c.encode("utf-8", "replace") for c in line]
    data = line.encode("utf-8", "surrogateescape")
    return data.split() if split == "whitespace" else [data]


def to_lists(rows):
    """The tokens of each line."""
    tokens = iter(rows.tokens.tolist())
    return [[next(tokens) for _ in range(length)] for length in rows.row_lengths.tolist()]


@pytest.mark.parametrize("seed", range(6))
def test_lines_are_split_together_as_one_by_one(seed):
    draw = random.Random(seed)
    alphabet = "aB.é \t\n,x世😀" + (CONTROL if seed % 3 == 2 else "")
    for count in (0, 1, 2, 25):
        lines = ["".join(draw.choices(alphabet, k=draw.randint(0, 60))) for _ in range(count)]
        for standardize in STANDARDIZATIONS:
            for split in (None, "whitespace", "character"):
                rows = split_lines(lines, standardize, split)
                expected = [split_line(line, standardize, split) for line in lines]
                assert to_lists(rows) == expected
                widths = draw.choice([(1, 2), (2,), (3, 1)])
                grams = [
                    [b" ".join(row[i : i + w]) for w in widths for i in range(len(row) - w + 1)]
                    for row in expected
                ]
                assert to_lists(make_ngrams(rows, widths)) == grams


def test_text_with_every_control_character_is_split():
    lines = [CONTROL + "a b", "c\nd", ""]
    rows = split_lines(lines, "lower", "whitespace")
    assert to_lists(rows) == [split_line(line, "lower", "whitespace") for line in lines]


def test_bytes_that_are_not_utf8_stay_or_become_replacement_characters():
    line = b"a\xff b\xc3".decode("utf-8", "surrogateescape")
    assert split_lines([line], "lower", "whitespace").tokens.tolist() == [b"a\xff", b"b\xc3"]
    characters = split_lines([line], None, "character").tokens.tolist()
    assert [c.decode() for c in characters] == ["a", "�", " ", "b", "�"]
    with pytest.raises(SpecError, match="half of a surrogate pair"):
        split_lines(["\ud800"], None, "whitespace")


def test_a_table_of_tokens_finds_what_a_dict_finds():
    draw = random.Random(0)
    words = {bytes(draw.choices(b"ab\0", k=draw.randint(0, 40))) for _ in range(3000)}
    words |= {bytes(draw.choices(b"abcdefgh", k=draw.randint(0, 12))) for _ in range(3000)}
    words = sorted(words)
    for vocabulary in (words[::2], words[:1], []):
        ids = {token: i for i, token in enumerate(vocabulary)}
        queries = draw.choices(words, k=5000)
        found = TokenTable(vocabulary).lookup(pack_bytes(queries))
        assert found.tolist() == [ids.get(query, -1) for query in queries]


def test_a_table_of_tokens_whose_keys_are_alike():
    # The keys of longer tokens are numbers that the bytes of a token of 8 may have, too.
    long = [b"123456789", b"abcdefghijklmnop", b"x" * 40]
    keys = _keys(pack_bytes(long))
    short = [int(key).to_bytes(8, "little") for key in keys]
    assert TokenTable(long).lookup(pack_bytes(short)).tolist() == [-1, -1, -1]
    both = TokenTable([*long, *short])
    assert both.lookup(pack_bytes([*short, *long])).tolist() == [3, 4, 5, 0, 1, 2]


def test_rows_are_padded_and_cut():
    rows = RaggedRows(np.arange(1, 7), np.array([3, 0, 1, 2]))
    assert rows.pad().tolist() == [[1, 2, 3], [0, 0, 0], [4, 0, 0], [5, 6, 0]]
    assert rows.pad(2).tolist() == [[1, 2], [0, 0], [4, 0], [5, 6]]
    assert rows.pad(4)[0].tolist() == [1, 2, 3, 0]
    assert [row.tolist() for row in rows.cut(1).split()] == [[1], [], [4], [5]]


def test_tokens_are_counted():
    draw = random.Random(0)
    rare = [str(draw.random()).encode() for _ in range(40000)]
    tokens = draw.choices([b"", b"a", b"the", b"of"], k=60000) + rare + rare[:9]
    draw.shuffle(tokens)
    assert count_tokens(pack_bytes(tokens)) == Counter(tokens)


def test_a_table_of_integers_finds_what_a_dict_finds():
    draw = np.random.default_rng(0)
    numbers = np.unique(draw.integers(-(2**63), 2**63 - 1, 4000) >> draw.integers(0, 60, 4000))
    for known in (numbers[::2], numbers[:1], numbers[:0], np.arange(4000) << 51):
        ids = {number: i for i, number in enumerate(known.tolist())}
        queries = draw.choice(np.concatenate([numbers, known]), 100_000)
        found = IntegerTable(known).lookup(queries)
        assert found.tolist() == [ids.get(query, -1) for query in queries.tolist()]
