"""The public names and signatures, compared with those of Keras 3.15.1, which are stored as facts.

A signature agrees if a call that Keras takes means the same here: its parameters, in their order,
with their defaults. Ours may have more of them at the end.
"""

import inspect
import re
from functools import reduce
from pathlib import Path

import pytest

import keras_fn as keras

API = Path(__file__).parent / "fixtures" / "api" / "keras_3_15_1.txt"
APPLICATION_FAMILIES = [
    f"applications.{family}"
    for family in (
        "convnext", "densenet", "efficientnet", "efficientnet_v2", "imagenet_utils",
        "inception_resnet_v2", "inception_v3", "mobilenet", "mobilenet_v2", "mobilenet_v3",
        "nasnet", "resnet", "resnet50", "resnet_v2", "vgg16", "vgg19", "xception",
    )
]  # fmt: skip
# Namespaces that are whole; the others are the subject of work to come.
WHOLE = (
    "activations", "applications", *APPLICATION_FAMILIES, "backend", "callbacks", "config",
    "constraints", "distillation", "distribution", "dtype_policies", "export", "initializers",
    "layers",
    "legacy.saving", "losses", "metrics",
    "mixed_precision", "models", "ops", "ops.image", "ops.linalg", "optimizers",
    "optimizers.legacy", "optimizers.schedules", "preprocessing", "preprocessing.image",
    "preprocessing.sequence", "quantizers", "random", "regularizers", "saving", "tree", "utils",
    "utils.bounding_boxes", "utils.legacy", "visualization", "wrappers",
)  # fmt: skip
LINES = [line for line in API.read_text("utf-8").splitlines() if line and not line.startswith("#")]


def namespace(name: str) -> str:
    return name.rpartition(".")[0]


NAMES = {line.partition("(")[0]: line for line in LINES}
CHECKED = {name: line for name, line in NAMES.items() if namespace(name) in WHOLE}
# Public names of ours in the namespaces of Keras.
ADDED = {
    "distribution.summary",
    "config.enable_compilation_cache", "dtype_policies.dtype_policy",
    "dtype_policies.set_dtype_policy", "install",
    "models.Functional", "ops.getitem", "ops.squared_difference", "saving.LoadReport",
    "saving.load_state_dict", "utils.Dataset",
    "utils.model_to_mermaid", "value_and_grad",
}  # fmt: skip


def parameters(text: str) -> list[str]:
    """Cuts `"(a, b=(1, 2), c: int = 3)"` into `["a", "b=(1, 2)", "c=3"]`."""
    text = re.sub(r"(\w+): \w+ = ", r"\1=", text)
    parts, depth, start = [], 0, 1
    quote = ""
    for i, c in enumerate(text):
        if quote:
            quote = "" if c == quote else quote
        elif c in "'\"":
            quote = c
        elif c in "([{":
            depth += 1
        elif c in ")]}":
            depth -= 1
        if (c == "," and depth == 1 and not quote) or (c == ")" and depth == 0):
            parts.append(text[start:i].strip())
            start = i + 1
    return [p for p in parts if p]


def ours(obj) -> list[str]:
    """The parameters of an object, written as in the file."""
    found = []
    for p in inspect.signature(obj).parameters.values():
        mark = {p.VAR_POSITIONAL: "*", p.VAR_KEYWORD: "**"}.get(p.kind, "")
        default = "" if p.default is p.empty else f"={_shown(p.default)}"
        found.append(f"{mark}{p.name}{default}")
    return found


def _shown(value) -> str:
    return f"<{value.__name__}>" if inspect.isfunction(value) else repr(value)


@pytest.mark.parametrize("name", CHECKED)
def test_a_name_of_keras_is_there_with_its_parameters(name):
    obj = reduce(getattr, name.split("."), keras)
    line = CHECKED[name]
    if "(" not in line:
        return
    wanted = parameters(line[len(name) :])
    found = ours(obj)
    plain = [p for p in wanted if not p.startswith("**") and p not in ("*", "*args")]
    pairs = zip(map(_of_each_axis, found), map(_of_each_axis, plain), strict=False)
    agree = len(found) >= len(plain) and all(ours == keras for ours, keras in pairs)
    assert agree or _open(found, wanted), (found, wanted)


def _of_each_axis(parameter: str) -> str:
    """Writes a default that is the same number for each axis, `(1, 1)`, as that number."""
    name, _, default = parameter.partition("=")
    numbers = set(re.findall(r"\d+", default))
    is_same = len(numbers) == 1 and re.fullmatch(r"[\d(), ]+", default)
    return f"{name}={numbers.pop()}" if is_same else parameter


def _open(found, wanted) -> bool:
    """Whether Keras says no more than `*args, **kwargs`, or the file no more than `...`."""
    return all(p.startswith("*") or p == "..." for p in wanted)


@pytest.mark.parametrize("name", ["", *WHOLE, "layers", "saving", "utils"])
def test_a_namespace_lists_no_other_names(name):
    module = reduce(getattr, name.split(".") if name else [], keras)
    prefix = f"{name}." if name else ""
    public = {n: getattr(module, n) for n in dir(module) if not n.startswith("_")}
    names = {prefix + n for n, value in public.items() if not inspect.ismodule(value)}
    if name in APPLICATION_FAMILIES:  # the file leaves out the models in them
        names = {n for n in names if f"applications.{n.rpartition('.')[2]}" not in NAMES}
    assert names <= NAMES.keys() | ADDED
