"""Arguments of initializers, constraints and regularizers that have another type."""

import pytest

from keras_fn import constraints, initializers, regularizers
from keras_fn.errors import KerasError

NUMBERS = {
    "RandomNormal": ("mean", "stddev"), "TruncatedNormal": ("mean", "stddev"),
    "RandomUniform": ("minval", "maxval"), "VarianceScaling": ("scale",), "Orthogonal": ("gain",),
    "Identity": ("gain",), "MaxNorm": ("max_value",), "MinMaxNorm": ("min_value", "rate"),
    "L1": ("l1",), "L2": ("l2",), "OrthogonalRegularizer": ("factor",),
}  # fmt: skip
AXES = {
    "VarianceScaling": ("input_axes", "output_axes"), "HeNormal": ("input_axes",),
    "MaxNorm": ("axis",), "UnitNorm": ("axis",),
}  # fmt: skip
WORDS = {"VarianceScaling": ("mode", "distribution"), "OrthogonalRegularizer": ("mode",)}
CASES = [
    *((name, a, v) for name, names in NUMBERS.items() for a in names for v in ("bogus", [1])),
    *((name, a, v) for name, names in AXES.items() for a in names for v in ("bogus", 2.5, ["a"])),
    *((name, a, v) for name, names in WORDS.items() for a in names for v in ("bogus", 2.5, None)),
]


@pytest.mark.parametrize(("name", "argument", "value"), CASES)
def test_an_argument_of_another_type_is_refused_by_name(name, argument, value):
    modules = (initializers, constraints, regularizers)
    (cls,) = [getattr(m, name) for m in modules if hasattr(m, name)]
    with pytest.raises(KerasError, match=argument):
        cls(**{argument: value})
