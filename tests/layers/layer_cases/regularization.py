"""Rows of layers that act in training alone."""

from layer_cases.case import LayerCase
from layer_cases.convolutional import FIRST, LINE, PLANE, SPACE

_KEPT = {"masks": "kept", "free": (0, 1)}
_RANDOM = {"random": True, **_KEPT}
_ALWAYS = {"training": True}
_DTYPE = {"config": "Keras writes the name of the dtype, which loses the policy"}
CASES = [
    LayerCase("Dropout", {"rate": 0.5, "noise_shape": (None, 1, 4), "seed": 3}, LINE, **_RANDOM),
    LayerCase("Dropout", {"rate": 0}, LINE, "none", call=_ALWAYS),
    LayerCase("Dropout", {"rate": 1.0}, LINE, "all", call=_ALWAYS),
    LayerCase("SpatialDropout1D", {"rate": 0.5}, LINE, differs=_DTYPE, **_RANDOM),
    LayerCase("SpatialDropout2D", {"rate": 0.5, "seed": 1}, PLANE, random=True, differs=_DTYPE),
    LayerCase("SpatialDropout3D", {"rate": 0.5, **FIRST}, SPACE, random=True, differs=_DTYPE),
    LayerCase("AlphaDropout", {"rate": 0.5}, LINE, **_RANDOM),
    LayerCase("GaussianNoise", {"stddev": 0.5}, LINE, **_RANDOM),
    LayerCase("GaussianDropout", {"rate": 0.5}, LINE, **_RANDOM),
    LayerCase("ActivityRegularization", {"l1": 0.1, "l2": 0.2}, LINE, **_KEPT),
]
