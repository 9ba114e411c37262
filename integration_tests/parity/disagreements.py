"""Where real Keras 3.15.1 and this package disagree, by op and backend, and who is right."""

import re
from dataclasses import dataclass
from typing import NamedTuple


class Disagreement(NamedTuple):
    """One call that Keras answers otherwise."""

    op: str
    backend: str
    dtype: str
    kind: str
    text: str


@dataclass(frozen=True)
class Known:
    ops: tuple[str, ...]
    kind: str
    text: str
    reason: str


CRASHES = {("adaptive_max_pool", "tensorflow"): "TensorFlow divides by zero and ends the process"}

KNOWN: list[Known] = []


def reason(found: Disagreement) -> str | None:
    return None
