"""Vocabularies: their counts while a layer adapts, their validation, their files."""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from keras_fn.errors import SpecError
from keras_fn.layers.preprocessing._host_batch import decode
from keras_fn.types import PathLike

Token = str | int

_FILE = "vocabulary.txt"
_EXACT_FILE = "vocabulary.json"  # where a line of text cannot hold each token


class TokenCounts:
    """The number of times that each token was seen, and the number of documents with it.

    Args:
        counts_documents: Whether documents are counted.
    """

    def __init__(self, counts_documents: bool):
        self.tokens: Counter[Any] = Counter()
        self.documents: Counter[Any] | None = Counter() if counts_documents else None
        self.document_count = 0

    def add_counts(self, counts: Mapping[Any, int]) -> None:
        """Adds counted tokens, where documents are not counted.

        Args:
            counts: How often each token occurs.
        """
        self.tokens.update(counts)

    def add(self, tokens: Sequence[Any], documents: Iterable[Iterable[Any]], count: int) -> None:
        """Adds the tokens of a batch.

        Args:
            tokens: All tokens.
            documents: The tokens of each document. Only read where documents are counted.
            count: The number of documents.
        """
        self.tokens.update(tokens)
        if self.documents is not None:
            for document in documents:
                self.documents.update(set(document))
            self.document_count += count

    def most_frequent(self, without: Iterable[Any], count: int | None) -> list[Any]:
        """Returns the tokens: the most frequent first, and those as frequent in descending order.

        Args:
            without: Tokens to leave out.
            count: The maximum number of tokens.
        """
        skipped = {token for token in without if token is not None}
        least = 0
        if count is not None and count + len(skipped) < len(self.tokens):
            sizes = np.fromiter(self.tokens.values(), np.int64, len(self.tokens))
            rank = len(sizes) - count - len(skipped)  # no rarer token is among the result
            least = int(np.partition(sizes, rank)[rank])
        items = [
            (n, token) for token, n in self.tokens.items() if n >= least and token not in skipped
        ]
        items.sort(reverse=True)
        return [token for _, token in items[:count]]

    def inverse_document_frequencies(self, tokens: Sequence[Any]) -> np.ndarray:
        """Returns `log(1 + documents / (1 + documents with the token))` for each token.

        Args:
            tokens: The tokens.
        """
        documents = self.documents or Counter()
        frequencies = np.array([documents[token] for token in tokens], np.float64)
        return np.log1p(self.document_count / (1 + frequencies))


def strip_special(vocabulary: Sequence[Any], special: Sequence[Any]) -> tuple[list[Any], bool]:
    """Returns a vocabulary without the special tokens, and whether it began with them.

    Args:
        vocabulary: The tokens.
        special: The mask token and the OOV tokens, in their order.
    """
    has_special = list(vocabulary[: len(special)]) == list(special)
    return list(vocabulary[len(special) :] if has_special else vocabulary), has_special


def check_tokens(tokens: Sequence[Any], reserved: dict[str, Any], source: str) -> None:
    """Raises an error for tokens that occur twice, or are reserved.

    Args:
        tokens: The vocabulary, without special tokens.
        reserved: The special tokens that it must not hold, by the names of their arguments.
        source: The layer.

    Raises:
        SpecError: The vocabulary is empty, or there is such a token.
    """
    if not tokens:
        raise SpecError(
            source,
            expected="a vocabulary of at least one token",
            received="an empty one",
            fix="pass the tokens as a list, or call adapt with data",
        )
    known = set(tokens)
    if len(known) != len(tokens):
        repeated = [token for token, count in Counter(tokens).items() if count > 1]
        raise SpecError(
            source,
            expected="a vocabulary without repeated tokens",
            received=f"several times: {', '.join(map(repr, repeated[:10]))}",
            fix="remove repeated tokens: list(dict.fromkeys(tokens))",
        )
    for argument, token in reserved.items():
        if token is not None and token in known:
            raise SpecError(
                source,
                expected=f"a vocabulary without {argument}={token!r}, or with all special tokens "
                "at its beginning",
                received=f"{token!r} at position {list(tokens).index(token)}",
                fix="remove the special tokens: the layer adds them",
            )


def check_no_path(source: str, config: Mapping[str, Any]) -> None:
    """Raises an error if a config names a file, which may not be the one that the reader means.

    Args:
        source: The class.
        config: The config of a layer with a vocabulary.

    Raises:
        SpecError: The vocabulary is a path.
    """
    path = config.get("vocabulary")
    if isinstance(path, str):
        raise SpecError(
            f"{source}, from_config",
            expected="vocabulary: a list of tokens, or None",
            received=f"the path {path[:100]!r}: a config opens no file",
            fix="create the layer with the constructor, or call set_vocabulary(path)",
        )


# ---------------------------------------------------------------- files


def read_vocabulary(path: PathLike, encoding: str, source: str) -> list[str]:
    """Returns the lines of a text file.

    Args:
        path: The path.
        encoding: The encoding of the file.
        source: The layer, for errors.

    Raises:
        SpecError: There is no such file.
    """
    if not os.path.isfile(path):
        raise SpecError(
            source,
            expected="the path of a vocabulary: a text file with one token in each line",
            received=f"{os.fspath(path)!r}, where there is no file",
            fix="check the path; a vocabulary in memory is passed as a list",
        )
    with open(path, "rb") as file:
        return _lines(decode(file.read(), encoding))


def _lines(text: str) -> list[str]:
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines


def save_vocabulary(folder: str, vocabulary: Sequence[Token]) -> None:
    """Writes a vocabulary as Keras does: a text file with one token in each line.

    If these lines do not tell the tokens (there are line breaks in them), another file does.

    Args:
        folder: The folder.
        vocabulary: The tokens.
    """
    lines = [str(token) for token in vocabulary]
    text = "\n".join(lines)
    with open(os.path.join(folder, _FILE), "wb") as file:
        file.write(text.encode("utf-8", "surrogateescape"))
    if lines and (text.splitlines() != lines or not lines[-1]):
        with open(os.path.join(folder, _EXACT_FILE), "w", encoding="ascii") as file:
            json.dump(lines, file)


def load_vocabulary(folder: str, source: str) -> list[str]:
    """Returns the tokens that `save_vocabulary`, or Keras, has written.

    Args:
        folder: The folder.
        source: The layer, for errors.

    Raises:
        SpecError: There is no vocabulary, or it is damaged.
    """
    exact = os.path.join(folder, _EXACT_FILE)
    if os.path.isfile(exact):
        with open(exact, "rb") as file:
            content = _parse(file.read())
        if isinstance(content, list) and all(isinstance(token, str) for token in content):
            return content
        raise SpecError(
            source,
            expected=f"a list of strings in {_EXACT_FILE}",
            received="something else",
            fix="the file is damaged; save the model again",
        )
    lines = read_vocabulary(os.path.join(folder, _FILE), "utf-8", source)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _parse(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
