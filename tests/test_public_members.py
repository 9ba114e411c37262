"""The members of the public classes, compared with those of Keras 3.15.1, as stored facts.

Each is there with each of its parameters, or is listed under "Members" in docs/differences.md.
"""

import inspect
import re
from fnmatch import fnmatchcase
from functools import cache, reduce
from pathlib import Path

import pytest

import keras_fn as keras
from tests.test_public_api import parameters

MEMBERS = Path(__file__).parent / "fixtures" / "api" / "keras_members.txt"
PAGE = Path(__file__).parents[1] / "docs" / "differences.md"


def read_members() -> dict[str, list[str]]:
    """The members of each class, by the public name of the class."""
    members: dict[str, list[str]] = {}
    for line in MEMBERS.read_text("utf-8").splitlines():
        if header := re.fullmatch(r"\[(\S+)\](?: \(.*\))?", line):
            members[header[1]] = []
        elif line and not line.startswith("#"):
            members[[*members][-1]].append(line)
    return members


def listed_differences() -> list[str]:
    """The members that the page lists: `Class.member`, `Class.method(parameter)`."""
    section = PAGE.read_text("utf-8").partition("## Members\n")[2].partition("\n## ")[0]
    entries = re.split(r"^- ", section, flags=re.MULTILINE)[1:]
    return [name for entry in entries for name in re.findall(r"`([^`]+)`", entry.partition(":")[0])]


MEMBERS_OF = read_members()
DIFFERENCES = listed_differences()


def find_class(name: str):
    """The class of a public name, or None: those that we do not have yet are not compared."""
    try:
        return reduce(getattr, name.split("."), keras)
    except AttributeError:
        return None


def dense():
    layer = keras.layers.Dense(2)
    layer.build((None, 3))
    return layer


def conv(cls, rank):
    layer = cls(2, 1)
    layer.build((None, *[3] * rank, 1))
    return layer


def embedding():
    layer = keras.layers.Embedding(3, 2)
    layer.build((None,))
    return layer


def built(layer, *shapes):
    layer.build(*shapes)
    return layer


# Instances, for attributes that a class does not have itself.
INSTANCES = {
    "KerasTensor": lambda: keras.KerasTensor((2,)),
    "Layer": keras.layers.Layer,
    "Variable": lambda: keras.Variable(1.0),
    "callbacks.TensorBoard": keras.callbacks.TensorBoard,
    "layers.Conv1D": lambda: conv(keras.layers.Conv1D, 1),
    "layers.Conv2D": lambda: conv(keras.layers.Conv2D, 2),
    "layers.Conv3D": lambda: conv(keras.layers.Conv3D, 3),
    "layers.Dense": dense,
    "layers.Embedding": embedding,
    "layers.EinsumDense": lambda: built(keras.layers.EinsumDense("ab,bc->ac", 2), (None, 3)),
    "layers.InputLayer": lambda: keras.layers.InputLayer((2,)),
    "layers.MultiHeadAttention": lambda: keras.layers.MultiHeadAttention(1, 1),
    "metrics.AUC": keras.metrics.AUC,
    "optimizers.MultiOptimizer": lambda: keras.optimizers.MultiOptimizer(
        keras.optimizers.OptimizerMap(keras.optimizers.Adam())
    ),
    "dtype_policies.QuantizedFloat8DTypePolicy": lambda: (
        keras.dtype_policies.QuantizedFloat8DTypePolicy("float8", "float32")
    ),
}


@cache
def instance(name: str):
    return INSTANCES[name]() if name in INSTANCES else None


def lacks(cls: type, name: str, line: str) -> list[str]:
    """What we lack of a member: itself, or some of its parameters."""
    member, _, rest = line.partition("(")
    if not hasattr(cls, member) and not hasattr(instance(name), member):
        return [f"{name}.{member}"]
    if not rest or "..." in rest:
        return []
    wanted = parameters(f"({rest}")
    found = inspect.signature(getattr(cls, member)).parameters.values()
    kinds = {p.kind for p in found}
    if re.fullmatch(r"__(?!call|init)\w+__", member):  # an operator: called by position
        wanted = [p for p in wanted if "=" not in p and not p.startswith("*")]
        return [] if len([p for p in found if p.name != "self"]) >= len(wanted) else [member]
    if inspect.Parameter.VAR_KEYWORD in kinds:
        return []
    names = {p.name for p in found}
    missing = [p.partition("=")[0] for p in wanted if not p.startswith("*")]
    return [f"{name}.{member}({p})" for p in missing if p not in names and p != "_"]


def is_listed(difference: str) -> bool:
    return any(fnmatchcase(difference, pattern) for pattern in DIFFERENCES)


@pytest.mark.parametrize("name", [name for name in MEMBERS_OF if find_class(name) is not None])
def test_a_class_has_the_members_of_keras_with_their_parameters(name):
    cls = find_class(name)
    differences = [d for line in MEMBERS_OF[name] for d in lacks(cls, name, line)]
    assert [d for d in differences if not is_listed(d)] == []


def test_the_page_lists_no_member_that_is_there():
    found = [
        difference
        for name, lines in MEMBERS_OF.items()
        if (cls := find_class(name)) is not None
        for line in lines
        for difference in lacks(cls, name, line)
    ]
    unused = [p for p in DIFFERENCES if not any(fnmatchcase(d, p) for d in found)]
    assert DIFFERENCES and unused == []
