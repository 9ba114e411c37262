"""Cases of trigonometric and hyperbolic functions."""

import numpy as np

from keras_fn.testing.conformance.case import Case, Refusal
from keras_fn.testing.conformance.table._elementwise import binary_float_cases, unary_float_cases

# Function, and the range that it is tried in.
UNARY_FLOAT = {
    "sin": (np.sin, -3, 3),
    "cos": (np.cos, -3, 3),
    "tan": (np.tan, -1, 1),
    "arcsin": (np.arcsin, -0.9, 0.9),
    "arccos": (np.arccos, -0.9, 0.9),
    "arctan": (np.arctan, -3, 3),
    "sinh": (np.sinh, -2, 2),
    "cosh": (np.cosh, -2, 2),
    "tanh": (np.tanh, -3, 3),
    "arcsinh": (np.arcsinh, -3, 3),
    "arccosh": (np.arccosh, 1.1, 5),
    "arctanh": (np.arctanh, -0.9, 0.9),
    "deg2rad": (np.deg2rad, -360, 360),
    "rad2deg": (np.rad2deg, -6, 6),
}

BINARY_FLOAT = {
    "arctan2": np.arctan2,
}

CASES: list[Case] = [
    *unary_float_cases(UNARY_FLOAT),
    *binary_float_cases(BINARY_FLOAT),
]

REFUSALS: list[Refusal] = []
