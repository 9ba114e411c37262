"""Rows of convolution layers."""

from layer_cases.case import LayerCase

FIRST = {"data_format": "channels_first"}
LINE, PLANE, SPACE = (2, 9, 4), (2, 6, 7, 4), (1, 5, 4, 5, 4)
TURNED = {1: (2, 4, 9), 2: (2, 4, 6, 7), 3: (1, 4, 5, 4, 5)}  # with the channels first
SHAPES = {1: LINE, 2: PLANE, 3: SPACE}
AXES = {1: (0, 1), 2: (0, 1, 2), 3: (0, 1, 2, 3)}  # those that may be None


def _of_rank(rank: int) -> list[LayerCase]:
    """Convolutions and transposed convolutions over `rank` axes."""
    shape, turned, uneven = SHAPES[rank], TURNED[rank], tuple(range(2, 2 + rank))
    conv, back = f"Conv{rank}D", f"Conv{rank}DTranspose"
    cases: list[LayerCase] = []
    slopes = {conv: "valid, strides", back: "same, dilation"}
    for cls in (conv, back):
        described = {"kernel_regularizer": "l2", "kernel_constraint": "max_norm"}
        variants = {
            "same, strides": {
                "filters": 3, "kernel_size": uneven, "strides": 2, "padding": "same",
                "activation": "relu", **described,
            },
            "valid, strides": {"filters": 3, "kernel_size": 2, "strides": 3},
            "dilation": {"filters": 2, "kernel_size": 2, "dilation_rate": 2},
            "same, dilation": {
                "filters": 2, "kernel_size": 2, "dilation_rate": 3, "padding": "same",
            },
            "no bias": {"filters": 1, "kernel_size": 1, "use_bias": False},
        }  # fmt: skip
        first = {
            "channels first": {"filters": 3, "kernel_size": 2, **FIRST},
            "channels first, same": {
                "filters": 3, "kernel_size": 3, "strides": 2, "padding": "same", **FIRST,
            },
        }  # fmt: skip
        cases += [
            LayerCase(
                cls, {"filters": 6, "kernel_size": 3}, shape, free=AXES[rank],
                slopes=cls == conv and rank == 3,
                masks="dropped" if rank == 1 else None,
            ),
            *(
                LayerCase(cls, variants[v], shape, v, slopes=v == slopes[cls] and rank < 3)
                for v in variants
            ),
            *(LayerCase(cls, first[v], turned, v) for v in first),
        ]  # fmt: skip
    grouped = {"filters": 6, "kernel_size": 3, "groups": 2}
    each = {"filters": 4, "kernel_size": 3, "groups": 4, **FIRST}
    cases.append(LayerCase(conv, grouped, shape, "groups"))
    cases.append(LayerCase(conv, each, turned, "groups first", slopes=rank == 2))
    for padding in ("valid", "same"):
        padded = {"filters": 2, "kernel_size": 3, "strides": 2, "output_padding": 1}
        cases.append(
            LayerCase(
                back, {**padded, "padding": padding}, shape, f"output padding, {padding}",
                slopes=padding == "same" and rank == 2,
            )
        )  # fmt: skip
    return cases


def _separated(rank: int) -> list[LayerCase]:
    """Depthwise and separable convolutions over `rank` axes."""
    shape, masks = SHAPES[rank], "dropped" if rank == 1 else None
    depthwise, separable = f"DepthwiseConv{rank}D", f"SeparableConv{rank}D"
    strided = {"kernel_size": 2, "strides": 2, "padding": "same", **FIRST}
    activated = {"filters": 3, "kernel_size": 2, "padding": "same", "activation": "tanh"}
    plain = {"kernel_size": 3, "depth_multiplier": 2}
    more = {"free": AXES[rank], "masks": masks}
    return [
        LayerCase(depthwise, plain, shape, slopes=rank == 2, **more),
        LayerCase(depthwise, strided, TURNED[rank], "first"),
        LayerCase(separable, {"filters": 3, **plain}, shape, slopes=rank == 1, **more),
        LayerCase(separable, activated, shape, "same"),
    ]


_CAUSAL = {"filters": 3, "padding": "causal"}
CASES = [
    *(case for rank in (1, 2, 3) for case in _of_rank(rank)),
    *(case for rank in (1, 2) for case in _separated(rank)),
    LayerCase("Conv1D", {**_CAUSAL, "kernel_size": 3}, LINE, "causal"),
    LayerCase(
        "Conv1D", {**_CAUSAL, "kernel_size": 2, "dilation_rate": 3}, LINE, "causal, dilation",
        slopes=True,
    ),
    LayerCase(
        "Conv1D", {**_CAUSAL, "kernel_size": 3, "strides": 2, **FIRST}, TURNED[1], "causal, first"
    ),
]  # fmt: skip
