"""The table of layers: one row for each public layer, and more for other arguments.

The tests of `test_every_layer.py` run over every row, as do the comparisons with real Keras. A new
layer needs one row here, in the file of its family; `case.py` says what a row may hold. What Keras
makes of the row is noted, where Keras is installed, by
`cd tests/layers; KERAS_BACKEND=jax python -m layer_cases <family> ...`.
"""

from layer_cases import (
    activations,
    attention,
    convolutional,
    core,
    image_color,
    image_geometry,
    interop,
    merging,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
    text,
)
from layer_cases.case import LayerCase as LayerCase

FAMILIES = {
    module.__name__.rpartition(".")[2]: {case.name: case for case in module.CASES}
    for module in (
        activations, attention, convolutional, core, image_color, image_geometry, interop, merging,
        normalization, pooling, preprocessing, recurrent, regularization, reshaping, text,
    )
}  # fmt: skip
CASES = {name: case for family in FAMILIES.values() for name, case in family.items()}
"""Every row, by its name."""
LAYERS: dict[str, LayerCase] = {}
"""The first row of each class."""
for _case in CASES.values():
    LAYERS.setdefault(_case.cls, _case)
assert len(CASES) == sum(map(len, FAMILIES.values())), "two rows have one name"
NO_ROW = {
    "InputLayer": "it stands for an input",
    "Layer": "the base class",
    "Wrapper": "what it does is its subclass's",
    **interop.OTHER_BACKENDS,
}
"""Public classes without a row, and why."""
