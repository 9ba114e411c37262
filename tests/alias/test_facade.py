"""`keras.src` where keras_fn is named keras: public names by their last part, and the helpers."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import keras_fn as keras
from keras_fn.alias import facade
from keras_fn.alias.facade_table import HELPERS, OLD_MODULES
from keras_fn.alias.finder import AliasError

DOCS = Path(__file__).parents[2] / "docs" / "unedited_programs.md"


def look_up(dotted: str):
    *path, name = dotted.split(".")
    return facade._look_up(tuple(path), name)


@pytest.mark.parametrize(
    ("private", "public"),
    [
        ("layers.core.dense.Dense", "layers.Dense"),
        ("losses.losses.Hinge", "losses.Hinge"),
        ("metrics.hinge_metrics.Hinge", "metrics.Hinge"),
        ("backend.Variable", "Variable"),
        ("backend.numpy.sum", "ops.sum"),
        ("backend.random.normal", "random.normal"),
        ("backend.backend", "backend.backend"),
        ("models.functional.Functional", "models.Functional"),
        ("trainers.data_adapters.py_dataset_adapter.PyDataset", "utils.PyDataset"),
        ("optimizers.schedules.learning_rate_schedule.CosineDecay",
         "optimizers.schedules.CosineDecay"),
        ("saving.saving_lib.load_model", "saving.load_model"),
        ("datasets.mnist.load_data", "datasets.mnist.load_data"),
        ("initializers.Constant", "initializers.Constant"),
        ("backend.common.standardize_dtype", "backend.standardize_dtype"),
        ("ops.operation_utils.get_source_inputs", "utils.get_source_inputs"),
        ("utils.naming.get_uid", "backend.get_uid"),
        ("saving.serialization_lib.enable_unsafe_deserialization",
         "config.enable_unsafe_deserialization"),
        ("layers.preprocessing.image_preprocessing.bounding_boxes.converters.pad",
         "utils.bounding_boxes.pad"),
        ("layers.attention.grouped_query_attention.GroupedQueryAttention",
         "layers.GroupQueryAttention"),
    ],
)  # fmt: skip
def test_a_public_name_is_found_by_its_last_part(private, public):
    wanted = keras
    for part in public.split("."):
        wanted = getattr(wanted, part)
    assert look_up(private) is wanted


@pytest.mark.parametrize("name", HELPERS)
def test_every_helper_of_the_table_is_there(name):
    assert not isinstance(look_up(f"some.path.{name}"), facade.FacadeModule)


@pytest.mark.parametrize(
    "module",
    ["losses.losses", "optimizers.schedules", "dtype_policies.dtype_policy", "layers.merging.add",
     "layers.activations.softmax", "layers.reshaping.reshape", "legacy.backend", "backend.numpy",
     "backend.common.remat", "nothing", "version"],
)  # fmt: skip
def test_modules_are_not_taken_for_public_names(module):
    with pytest.raises(LookupError):
        look_up(module)


def test_the_docs_list_the_helpers():
    listed = set(re.findall(r"`(\w+)`", DOCS.read_text("utf-8").split("## Helpers")[1]))
    assert set(HELPERS) <= listed


@pytest.mark.parametrize(
    "use",
    [lambda x: x(1), lambda x: isinstance(1, x), lambda x: type("A", (x,), {}), lambda x: [*x],
     lambda x: issubclass(int, x)],
)  # fmt: skip
def test_an_unknown_name_is_an_error_when_it_is_used(use):
    unknown = facade.create_module("keras.src.utils.nothing.frobnicate")
    if "type" in use.__code__.co_names:
        use = _subclass
    with pytest.raises(AliasError, match=r"keras.src.utils.nothing.frobnicate\n  expected: a pub"):
        use(unknown)


def _subclass(base):
    class Derived(base): ...


def test_namespaces_are_not_callable():  # pytest would collect `testing`
    for name in ("keras.src", "keras.src.testing", "keras.src.testing.test_case"):
        assert not callable(facade.create_module(name))
    assert callable(facade.create_module("keras.src.utils.nothing"))


IMPORTS = f"""
import keras, keras_fn
from keras.src import backend, ops, testing, tree
from keras.src.ops import *
from keras.src.losses.losses import LossFunctionWrapper
from keras.src.utils.nothing import frobnicate
from keras.layers.convolutional import Conv2D
from keras.utils.np_utils import to_categorical
for module in {OLD_MODULES!r}:
    __import__("keras." + module)
assert add is keras_fn.ops.add and ops.add is add and backend.floatx() == "float32"
assert keras.src.utils.tracking.no_automatic_dependency_tracking
assert keras.src.version.__version__ == "3.15.1"
assert Conv2D is keras_fn.layers.Conv2D and to_categorical is keras_fn.utils.to_categorical
assert not hasattr(keras.src, "__file__") and "layers" in dir(keras.src)
keras.distribution.DataParallel
"""


def test_imports(tmp_path):
    command = [sys.executable, "-m", "keras_fn", "run", "-W", "ignore", "-c", IMPORTS]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
