"""Rows of pooling layers."""

from layer_cases.case import STEPS, LayerCase
from layer_cases.convolutional import AXES, FIRST, SHAPES, TURNED


def _of_rank(rank: int) -> list[LayerCase]:
    """Pooling over `rank` axes, of windows and of all."""
    shape, turned, uneven = SHAPES[rank], TURNED[rank], tuple(range(2, 2 + rank))
    cases: list[LayerCase] = []
    for kind in ("Max", "Average"):
        pool, whole = f"{kind}Pooling{rank}D", f"Global{kind}Pooling{rank}D"
        adaptive = f"Adaptive{pool}"
        used = "used" if kind == "Average" else "dropped"
        cases += [
            LayerCase(
                pool, {"pool_size": 2}, shape, free=AXES[rank],
                masks="dropped" if rank == 1 else None,
            ),
            LayerCase(
                pool, {"pool_size": uneven, "strides": 2, "padding": "same"}, shape, "same",
                slopes=rank == 2,
            ),
            LayerCase(
                pool, {"pool_size": 3, "strides": 1, **FIRST}, turned, "first", slopes=rank != 2
            ),
            LayerCase(
                whole, {}, shape, free=AXES[rank], masks=used if rank == 1 else None,
                slopes=rank == 2,
            ),
            LayerCase(whole, {"keepdims": True, **FIRST}, turned, "first", slopes=rank == 1),
            LayerCase(
                adaptive, {"output_size": 3}, shape, free=AXES[rank],
                masks="dropped" if rank == 1 else None, slopes=rank == 2,
            ),
            LayerCase(
                adaptive, {"output_size": uneven, **FIRST}, turned, "first", slopes=rank == 1
            ),
        ]  # fmt: skip
    return cases


CASES = [
    *(case for rank in (1, 2, 3) for case in _of_rank(rank)),
    LayerCase("GlobalAveragePooling1D", {}, (2, 4, 3), "masked", call={"mask": STEPS}),
]
