"""Rows of layers of several inputs."""

from typing import Any

from layer_cases.case import LayerCase
from layer_cases.convolutional import LINE


def _dot(variant: str, first: Any, second: Any, axes: Any, normalize: bool) -> LayerCase:
    return LayerCase("Dot", {"axes": axes, "normalize": normalize}, [first, second], variant)


CASES = [
    *(
        LayerCase(cls, {}, inputs, variant, free=(0, 1) if not variant else (0,))
        for cls in ("Add", "Multiply", "Average", "Maximum", "Minimum")
        for variant, inputs in (
            ("", [LINE, LINE, LINE]),
            ("broadcast", [(2, 1, 4), (2, 9, 1)]),
            ("ranks", [(2, 4), LINE]),
        )
    ),
    LayerCase("Subtract", {}, [LINE, LINE], free=(0, 1)),
    LayerCase("Concatenate", {}, [(2, 3), (2, 4), (2, 1)]),
    LayerCase("Concatenate", {"axis": 1}, [(2, 3, 4), (2, 5, 4)], "axis"),
    _dot("", (2, 5), (2, 5), 1, False),
    _dot("normalized", (2, 5), (2, 5), -1, True),
    _dot("matrices", (2, 4, 5), (2, 5, 3), (2, 1), False),
    _dot("ranks", (2, 4, 5), (2, 5), (2, 1), False),
    _dot("turned", (2, 4, 5), (2, 3, 4), (1, 2), True),
    _dot("high", (2, 3, 4, 5), (2, 5, 2), (3, 1), False),
]
