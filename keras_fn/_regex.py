"""Regular expressions for paths, matched in linear time.

Files can contain such patterns, and backtracking in `re` can take exponential time. So patterns
that do not need backtracking are matched by simulating an NFA (Thompson, 1968). Patterns of the
running program can use the rest of the syntax of `re`; patterns in files cannot.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from keras_fn.errors import SpecError

_MAX_LENGTH, _MAX_INSTRUCTIONS, _MAX_DEPTH = 1000, 4000, 50

_COUNTS = re.compile(r"\{(\d{0,4})(,?)(\d{0,4})\}")

# Escapes that are not a single character: word anchors, references, character names.
_SPECIAL_ESCAPES = frozenset("bBAZzguUNx0123456789")

# The opcodes of the NFA. A program is a list of instructions: an opcode and two operands.
_CHARACTER, _FORK, _JUMP, _START, _END, _MATCH = range(6)

Instruction = tuple[int, Any, Any]


class _NeedsBacktrackingError(ValueError):
    """The pattern uses syntax that only `re` supports."""


def fullmatch(pattern: str, text: str) -> bool:
    """Returns whether a pattern matches a whole text.

    Args:
        pattern: A regular expression.
        text: For example the path of a variable.

    Example:
        >>> fullmatch("encoder/.*", "encoder/dense/kernel"), fullmatch("encoder", "encoder/dense")
        (True, False)
    """
    program = _program(pattern)
    return bool(re.fullmatch(pattern, text)) if program is None else _run(program, text, True)


def search(pattern: str, text: str) -> bool:
    """Returns whether a pattern matches a part of a text.

    Args:
        pattern: A regular expression.
        text: For example the path of a variable.

    Example:
        >>> search("dense_[12]/", "encoder/dense_2/kernel")
        True
    """
    program = _program(pattern)
    return bool(re.search(pattern, text)) if program is None else _run(program, text, False)


def check(pattern: object, source: str) -> str:
    """Returns a pattern from a file, if it can be matched in linear time.

    Args:
        pattern: The pattern.
        source: The object that it belongs to, for error messages.

    Raises:
        SpecError: It is not a regular expression, or needs backtracking.
    """
    if isinstance(pattern, str) and _program(pattern) is not None:
        return pattern
    raise SpecError(
        source,
        expected="short regular expressions without backreferences and lookaround",
        received=f"{pattern!r}"[:200],
        fix="write the pattern with letters, classes, groups, |, *, +, ? and {m,n}",
    )


@lru_cache(512)
def _program(pattern: str) -> list[Instruction] | None:
    try:
        tree = _Parser(pattern).parse()
        return [*_emit(tree, []), (_MATCH, None, None)]
    except _NeedsBacktrackingError:
        return None


class _Parser:
    """Parses a pattern into nested tuples."""

    def __init__(self, text: str):
        if len(text) > _MAX_LENGTH:
            raise _NeedsBacktrackingError
        self.text, self.at, self.depth = text, 0, 0

    def parse(self) -> Any:
        """Returns the syntax tree of the whole pattern."""
        tree = self._choice()
        if self.at < len(self.text):
            raise _NeedsBacktrackingError
        return tree

    def _peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def _choice(self) -> Any:
        options = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            options.append(self._sequence())
        return ("choice", options)

    def _sequence(self) -> Any:
        parts = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(self._atom()))
        return ("sequence", parts)

    def _atom(self) -> Any:
        c = self._peek()
        self.at += 1
        if c == "(":
            return self._group()
        if c == "[":
            return self._one_of(self._class())
        if c == "\\":
            self.at += 1
            if self.text[self.at - 1 : self.at] in ("", *_SPECIAL_ESCAPES):
                raise _NeedsBacktrackingError
            return self._one_of(self.text[self.at - 2 : self.at])
        if c in "*+?{":
            raise _NeedsBacktrackingError
        if c == ".":
            return ("character", lambda x: x != "\n")
        return {"^": ("start",), "$": ("end",)}.get(c, ("character", c.__eq__))

    def _group(self) -> Any:
        if self.text.startswith("?", self.at):
            if not self.text.startswith("?:", self.at):
                raise _NeedsBacktrackingError
            self.at += 2
        self.depth += 1
        if self.depth > _MAX_DEPTH:
            raise _NeedsBacktrackingError
        tree = self._choice()
        self.depth -= 1
        if self._peek() != ")":
            raise _NeedsBacktrackingError
        self.at += 1
        return tree

    def _class(self) -> str:
        """Returns the text of a character class such as `[^a-z]`; `at` is after its bracket."""
        start = self.at - 1
        self.at += self._peek() == "^"
        self.at += self._peek() == "]"  # as the first character it is literal
        while self._peek() not in ("]", ""):
            self.at += 2 if self._peek() == "\\" else 1
        self.at += 1
        return self.text[start : self.at]

    @staticmethod
    def _one_of(text: str) -> Any:
        try:
            return ("character", re.compile(text).fullmatch)
        except (re.error, FutureWarning) as error:
            raise _NeedsBacktrackingError from error

    def _repeated(self, atom: Any) -> Any:
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(self._peek(), (1, 1))
        counts = _COUNTS.match(self.text, self.at)
        if counts is not None:
            low, comma, high = counts.groups()
            if not low + comma:  # `{}` is literal
                raise _NeedsBacktrackingError
            least = int(low or 0)
            most = int(high) if high else None if comma else least
            self.at = counts.end()
        elif self._peek() in ("*", "+", "?") and self._peek():
            self.at += 1
        else:
            return atom
        if self._peek() and self._peek() in "*+{":  # `a*+`, `a**`
            raise _NeedsBacktrackingError
        self.at += self._peek() == "?"  # lazy: has no effect on whether a text matches
        return ("repeat", atom, least, most)


def _emit(tree: Any, program: list[Instruction]) -> list[Instruction]:
    """Appends the instructions of a syntax tree to a program, and returns it."""
    if len(program) > _MAX_INSTRUCTIONS:
        raise _NeedsBacktrackingError
    kind = tree[0]
    if kind == "character":
        program.append((_CHARACTER, tree[1], None))
    elif kind in ("start", "end"):
        program.append((_START if kind == "start" else _END, None, None))
    elif kind == "sequence":
        for part in tree[1]:
            _emit(part, program)
    elif kind == "choice":
        _emit_alternatives([lambda t=option: _emit(t, program) for option in tree[1]], program)
    else:
        _, inner, least, most = tree
        for _ in range(least):
            _emit(inner, program)
        if most is None:
            fork = len(program)
            program.append((_JUMP, None, None))
            _emit(inner, program)
            program.append((_JUMP, fork, None))
            program[fork] = (_FORK, fork + 1, len(program))
        for _ in range((most or 0) - least):
            _emit_alternatives([lambda: _emit(inner, program), lambda: None], program)
    return program


def _emit_alternatives(options: list[Callable[[], Any]], program: list[Instruction]) -> None:
    """Appends instructions that match one of the options."""
    jumps = []
    for option in options[:-1]:
        fork = len(program)
        program.append((_JUMP, None, None))
        option()
        jumps.append(len(program))
        program.append((_JUMP, None, None))
        program[fork] = (_FORK, fork + 1, len(program))
    options[-1]()
    for jump in jumps:
        program[jump] = (_JUMP, len(program), None)


def _run(program: list[Instruction], text: str, whole: bool) -> bool:
    """Simulates the NFA: returns whether the text, or a part of it, matches."""
    states: set[int] = set()
    for at in range(len(text) + 1):
        starts = [*states, 0] if at == 0 or not whole else list(states)
        states = _epsilon_closure(program, starts, at, len(text))
        if len(program) - 1 in states and (not whole or at == len(text)):
            return True
        if at == len(text):
            return False
        c = text[at]
        states = {s + 1 for s in states if program[s][0] == _CHARACTER and program[s][1](c)}
    return False


def _epsilon_closure(program: list[Instruction], starts: list[int], at: int, size: int) -> set[int]:
    """Returns the instructions that can be reached without reading a character."""
    seen: set[int] = set()
    while starts:
        s = starts.pop()
        if s in seen:
            continue
        seen.add(s)
        kind, one, other = program[s]
        if kind == _JUMP:
            starts.append(one)
        elif kind == _FORK:
            starts += [one, other]
        elif (kind == _START and at == 0) or (kind == _END and at == size):
            starts.append(s + 1)
    return seen
