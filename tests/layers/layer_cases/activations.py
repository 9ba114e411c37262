"""Rows of activation layers."""

from layer_cases.case import STEPS, LayerCase
from layer_cases.convolutional import LINE, PLANE

_KEPT = {"masks": "kept", "free": (0, 1)}
CASES = [
    LayerCase("ReLU", {}, LINE, **_KEPT),
    LayerCase("ReLU", {"max_value": 0.8, "negative_slope": 0.1, "threshold": 0.2}, LINE, "all"),
    LayerCase("LeakyReLU", {}, LINE, **_KEPT),
    LayerCase("ELU", {"alpha": 0.5}, LINE, slopes=True, **_KEPT),
    LayerCase("PReLU", {}, (2, 4, 3), masks="kept"),
    LayerCase("PReLU", {}, PLANE, "images"),
    LayerCase("PReLU", {"shared_axes": [1, 2]}, PLANE, "shared", free=(0, 1, 2), slopes=True),
    LayerCase("Softmax", {}, (2, 3, 4), free=(0, 1)),
    LayerCase("Softmax", {"axis": [1, 2]}, (2, 3, 4), "axes", slopes=True),
    LayerCase("Softmax", {}, (2, 3, 4), "masked", call={"mask": STEPS[:, None]}),
    LayerCase("Activation", {"activation": "tanh"}, LINE, **_KEPT),
]
