"""Every public layer, exported to every format and run from the file: see `layer_exports.py`."""

from contextlib import nullcontext
from pathlib import Path

import generate_export_table
import pytest
from layer_exports import (
    BACKEND,
    CASES,
    FIXED_SIZES,
    ROUTES,
    UNSUPPORTED,
    Route,
    export_and_compare,
    free_axes,
)

from keras_fn.errors import KerasError
from keras_fn.settings import is_installed

# At every push, a layer of each kind: weights, masks, loops, unknown sizes, text.
SAMPLE = {"SimpleRNN", "CenterCrop", "Conv2D", "CategoryEncoding", "IntegerLookup", "Resizing"}
SLOW = {"LiteRT", "ONNX", "SavedModel (JAX)"}  # seconds for each file: one layer
LIBRARIES = {"stablehlo": "flatbuffers", "tf_saved_model": "tensorflow", "onnx": "onnxruntime"}


def sweep() -> list:
    """Returns the pairs of a route from this backend's models, and a layer."""
    pairs = []
    for route in ROUTES.values():
        if route.backend != BACKEND or not is_installed(LIBRARIES.get(route.format, BACKEND)):
            continue
        for name in CASES:
            is_sample = name == "Conv2D" if route.title in SLOW else name in SAMPLE
            marks = () if is_sample else pytest.mark.thorough
            pairs.append(pytest.param(route, name, marks=marks, id=f"{route.title}, {name}"))
    return pairs


@pytest.mark.parametrize(("route", "name"), sweep())
def test_a_file_computes_what_the_layer_does(route: Route, name: str, tmp_path: Path):
    if name not in UNSUPPORTED[route.title]:
        export_and_compare(route, CASES[name], tmp_path)
        return
    with pytest.raises((KerasError, UserWarning, RuntimeError)) as caught:
        export_and_compare(route, CASES[name], tmp_path)
    if isinstance(caught.value, KerasError):
        assert name in str(caught.value)


def open_sizes() -> list:
    """Returns the pairs of a route and a layer that takes other sizes than of the batch."""
    pairs = [pair for pair in sweep() if len(free_axes(CASES[pair.values[1]])) > 1]
    return [pair for pair in pairs if pair.values[1] not in UNSUPPORTED[pair.values[0].title]]


@pytest.mark.thorough
@pytest.mark.parametrize(("route", "name"), open_sizes())
def test_a_file_takes_other_sizes_unless_the_table_says_that_they_are_fixed(
    route: Route, name: str, tmp_path: Path
):
    case, is_fixed = CASES[name], name in FIXED_SIZES[route.title]
    with pytest.raises(Exception) if is_fixed else nullcontext():
        export_and_compare(route, case, tmp_path, free_axes(case))


def test_the_table_in_the_docs_is_up_to_date():
    page = generate_export_table.PAGE.read_text("utf-8")
    assert page == generate_export_table.render_page(page), (
        "docs/export.md is outdated: run python tests/export/generate_export_table.py"
    )
