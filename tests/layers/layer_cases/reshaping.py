"""Rows of layers that move elements about."""

from layer_cases.case import LayerCase
from layer_cases.convolutional import AXES, FIRST, LINE, PLANE, SPACE

_SMALL = (2, 2, 3, 2, 3)
CASES = [
    LayerCase("Reshape", {"target_shape": (8, 3)}, (2, 6, 4), masks="dropped"),
    LayerCase("Reshape", {"target_shape": (-1, 2, 3)}, (2, 6, 4), "-1", free=(0, 1)),
    LayerCase("Reshape", {"target_shape": ()}, (2, 1), "scalar"),
    LayerCase("Flatten", {}, PLANE, free=(0, 1)),
    LayerCase("Flatten", FIRST, PLANE, "first"),
    LayerCase("Flatten", {}, (3,), "vector"),
    LayerCase("Permute", {"dims": (2, 1)}, (2, 4, 3), free=(0, 1), masks="dropped"),
    LayerCase("Permute", {"dims": (3, 1, 2)}, PLANE, "three axes"),
    LayerCase("RepeatVector", {"n": 4}, (2, 3), free=(0, 1)),
    LayerCase("ZeroPadding1D", {"padding": (2, 1)}, LINE, free=AXES[1], masks="dropped"),
    LayerCase("ZeroPadding1D", {"padding": 2, **FIRST}, LINE, "first"),
    LayerCase("ZeroPadding2D", {}, PLANE, free=AXES[2]),
    LayerCase(
        "ZeroPadding2D", {"padding": ((1, 2), (0, 3)), **FIRST}, PLANE, "pairs", slopes=True
    ),
    LayerCase("ZeroPadding3D", {"padding": (1, 2, 0)}, SPACE, free=AXES[3]),
    LayerCase(
        "Cropping1D", {"cropping": (2, 1)}, LINE, free=AXES[1], masks="dropped", slopes=True
    ),
    LayerCase("Cropping1D", {}, LINE, "default"),
    LayerCase("Cropping2D", {"cropping": ((1, 2), (0, 3))}, PLANE, free=AXES[2]),
    LayerCase("Cropping2D", {}, PLANE, "default"),
    LayerCase("Cropping2D", {"cropping": (2, 1), **FIRST}, PLANE, "first"),
    LayerCase("Cropping3D", {}, SPACE, free=AXES[3]),
    LayerCase("UpSampling1D", {"size": 3}, LINE, free=AXES[1], masks="dropped"),
    LayerCase("UpSampling2D", {}, PLANE, free=AXES[2]),
    LayerCase("UpSampling2D", {"size": (1, 3), **FIRST}, PLANE, "first"),
    LayerCase("UpSampling3D", {"size": (1, 2, 3)}, _SMALL, free=AXES[3]),
    LayerCase("UpSampling3D", FIRST, _SMALL, "first"),
    *(
        LayerCase(
            "UpSampling2D", {"size": (2, 3), "interpolation": method}, (2, 4, 3, 2), method,
            slopes=method == "bicubic",
        )
        for method in ("bilinear", "bicubic", "lanczos3", "lanczos5")
    ),
]  # fmt: skip
