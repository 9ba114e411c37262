"""Rows of attention layers."""

from typing import Any

import numpy as np

from layer_cases.case import Data, LayerCase

QUERY, SOURCE = (2, 4, 6), (2, 5, 3)
_GRID = (2, 3, 2, 4)  # two axes between batch and features
_MASK = np.array([[[True, False, True, True, False]] * 4, [[True, True, False, True, True]] * 4])
_QUERY_MASK = Data((2, 4), "values", values=_MASK[:, 0, :4])
_PAIR = [Data(QUERY), Data((2, 5, 6))]
_SIZES = {"num_heads": 2, "key_dim": 3}


_SCORES = "ours is right: Keras says that there are as many sources as targets, on the first axis"


def _heads(variant: str, inputs: Any = (QUERY, SOURCE), more: Any = None, **call: Any) -> LayerCase:
    arguments, differs = {**_SIZES, **(more or {})}, {}
    if "return_attention_scores" in call:
        differs["symbol"] = _SCORES
    if "query_mask" in call:
        differs["values"] = "ours is right: Keras ignores a query_mask that is passed"
    return LayerCase("MultiHeadAttention", arguments, inputs, variant, call, differs=differs)


def _groups(variant: str, more: Any = None, **call: Any) -> LayerCase:
    arguments = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2, **(more or {})}
    return LayerCase("GroupQueryAttention", arguments, (QUERY, (2, 5, 6)), variant, call)


CASES = [
    LayerCase(
        "MultiHeadAttention", _SIZES, (QUERY, SOURCE), masks="kept", free=(0, 1), slopes=True,
        trains={"bias": "the softmax does not change with the bias of the keys"},
    ),
    _heads("of a key", (QUERY, SOURCE, (2, 5, 4)), {"use_bias": False}),
    _heads("masked", attention_mask=Data(_MASK.shape, "values", values=_MASK)),
    _heads("masked scores", attention_mask=_MASK[0], return_attention_scores=True),
    _heads("causal", use_causal_mask=True),
    _heads("causal and masked", attention_mask=_MASK[:, None], use_causal_mask=True),
    _heads("query mask", query_mask=_QUERY_MASK, return_attention_scores=True),
    _heads("window", (QUERY, QUERY), {"sliding_window": 2}, use_causal_mask=True),
    _heads("gate", more={"use_gate": True, "output_shape": [3, 2]}),
    _heads(
        "described", more={
            "dropout": 0.3, "seed": 1, "kernel_regularizer": "l2", "bias_constraint": "non_neg",
            "kernel_initializer": "he_normal", "activity_regularizer": "l2",
        },
    ),
    _heads("axes", (_GRID, _GRID)),
    _heads("one axis", (_GRID, _GRID), {"attention_axes": [2]}, return_attention_scores=True),
    _groups(""),
    _groups("causal", {"use_bias": False}, use_causal_mask=True),
    _groups("scores", {"use_gate": True}, attention_mask=_MASK, return_attention_scores=True),
    _groups("described", {"dropout": 0.3, "seed": 1, "sliding_window": 2}),
    LayerCase("Attention", {}, _PAIR, free=(0, 1), slopes=True),
    LayerCase(
        "Attention", {"use_scale": True, "dropout": 0.2}, _PAIR, "scores",
        {"return_attention_scores": True, "use_causal_mask": True},
    ),
    LayerCase("Attention", {"score_mode": "concat", "use_scale": True}, _PAIR, "concat"),
    LayerCase(
        "Attention", {}, [*_PAIR, Data((2, 5, 6))], "of a key",
        {"mask": [_QUERY_MASK, Data((2, 5), "values", values=_MASK[:, 0])]},
    ),
    LayerCase("AdditiveAttention", {}, _PAIR, free=(0, 1), slopes=True),
    LayerCase(
        "AdditiveAttention", {"use_scale": False, "dropout": 0.2}, _PAIR, "causal",
        {"return_attention_scores": True, "use_causal_mask": True},
    ),
]  # fmt: skip
