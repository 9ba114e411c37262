"""Rows of layers that prepare numbers: scales, categories, spectrograms."""

from layer_cases.case import Data, LayerCase
from layer_cases.convolutional import LINE

CASES = [
    LayerCase("Rescaling", {"scale": 0.5, "offset": -1.0}, Data(LINE, "byte"), free=(0, 1)),
    LayerCase(
        "Rescaling", {"scale": [1.0, 2.0, 3.0], "offset": [0.0, 1.0, 2.0]}, (2, 3), "channels"
    ),
]
