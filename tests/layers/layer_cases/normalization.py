"""Rows of layers that normalize."""

from dataclasses import replace
from typing import Any

from layer_cases.case import STEPS, LayerCase
from layer_cases.convolutional import LINE, PLANE


def _batch(variant: str, shape: tuple[int, ...], more: Any = None, **arguments: Any) -> LayerCase:
    return LayerCase("BatchNormalization", arguments, shape, variant, **(more or {}))


_IDENTITY = {"rmin": 1.0, "rmax": 1.0, "dmax": 0.0}
_BATCH = [
    _batch("", (2, 4, 3), {"masks": "kept", "free": (0, 1), "slopes": True}),
    _batch("images", PLANE),
    _batch("axis", PLANE, axis=1, momentum=0.8, epsilon=0.1),
    _batch("bare", LINE, center=False, scale=False),
    _batch(
        "described", (4, 3), gamma_initializer="zeros", beta_regularizer="l2",
        gamma_constraint="non_neg", moving_mean_initializer="ones",
    ),
    _batch("renorm", LINE, renorm=True),
    _batch(
        "renorm, clipped", LINE, renorm=True, renorm_momentum=0.5, scale=False,
        renorm_clipping={"rmin": 0.9, "rmax": 1.1, "dmax": 0.2},
    ),
]  # fmt: skip
CASES = [
    *_BATCH,
    *(
        replace(
            c, variant=f"{c.variant or 'plain'}, training", call={"training": True},
            slopes=not c.variant,
        )
        for c in _BATCH
    ),
    _batch("masked", (2, 4, 3), {"call": {"training": True, "mask": STEPS}}),
    _batch(
        "renorm, not clipped", (4, 3), {"call": {"training": True}, "slopes": True},
        renorm=True, renorm_clipping=_IDENTITY,
    ),
    LayerCase("LayerNormalization", {}, LINE, masks="kept", free=(0, 1)),
    LayerCase("LayerNormalization", {"axis": [1, 3]}, PLANE, "axes"),
    LayerCase("LayerNormalization", {"axis": [1, 2]}, (2, 3, 4), "all axes", slopes=True),
    LayerCase("LayerNormalization", {"center": False, "scale": False}, LINE, "bare"),
    LayerCase("LayerNormalization", {"axis": 1, "epsilon": 0.1}, LINE, "axis"),
    LayerCase("LayerNormalization", {"rms_scaling": True}, LINE, "rms"),
    LayerCase("RMSNormalization", {}, LINE, masks="dropped", free=(0, 1), slopes=True),
    LayerCase("RMSNormalization", {"axis": [2, 3], "epsilon": 0.1}, PLANE, "axes"),
    LayerCase("UnitNormalization", {}, LINE, masks="kept", free=(0, 1), slopes=True),
    LayerCase("UnitNormalization", {"axis": [1, 2]}, PLANE, "axes"),
    LayerCase("SpectralNormalization", lambda layers: {"layer": layers.Dense(3)}, (4, 5)),
    LayerCase(
        "SpectralNormalization",
        lambda layers: {"layer": layers.Conv2D(3, 2), "power_iterations": 3}, PLANE, "training",
        {"training": True},
    ),
    LayerCase("GroupNormalization", {"groups": 2}, PLANE, free=(0, 1, 2), slopes=True),
    LayerCase("GroupNormalization", {"axis": 1, "groups": 2}, PLANE, "axis"),
    LayerCase("GroupNormalization", {"groups": -1}, PLANE, "instance"),
    LayerCase("GroupNormalization", {"center": False, "scale": False, "groups": 2}, LINE, "bare"),
]  # fmt: skip
