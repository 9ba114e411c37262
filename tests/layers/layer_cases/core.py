"""Rows of the core layers."""

from typing import Any

from layer_cases.case import Data, LayerCase, ints
from layer_cases.convolutional import LINE


def _softplus(layers: Any) -> dict[str, Any]:
    from keras_fn import ops

    return {"function": ops.softplus}


CASES = [
    LayerCase("Dense", {"units": 3}, (2, 4, 5), masks="kept", free=(0, 1), slopes=True),
    LayerCase(
        "Dense", {"units": 2, "activation": "tanh", "kernel_regularizer": "l2"}, (2, 5), "matrix"
    ),
    LayerCase(
        "Dense", {"units": 3, "lora_rank": 2, "lora_alpha": 3}, (2, 4, 5), "adapted",
        masks="kept", free=(0, 1), slopes=True, keras=False,
    ),
    LayerCase("Identity", {}, LINE, masks="kept", free=(0, 1, 2)),
    LayerCase("Masking", {}, Data((2, 4, 3), "steps"), masks="made", free=(0, 1)),
    LayerCase("Embedding", {"input_dim": 7, "output_dim": 3}, ints(2, 5), free=(0, 1)),
    LayerCase(
        "Embedding",
        {
            "input_dim": 7, "output_dim": 3, "mask_zero": True,
            "embeddings_regularizer": "l2", "embeddings_constraint": "unit_norm",
        },
        ints(2, 5), "masked", masks="made",
    ),
    LayerCase(
        "Embedding", {"input_dim": 7, "output_dim": 3}, Data((2, 5), "whole"), "of floats"
    ),
    LayerCase(
        "EinsumDense",
        {"equation": "abc,cde->abde", "output_shape": [None, 2, 4], "bias_axes": "de"},
        (2, 5, 3), free=(0, 1), slopes=True, masks="dropped",
    ),
    LayerCase(
        "EinsumDense", {"equation": "ab...,bc->ac...", "output_shape": 4, "bias_axes": "c"},
        (2, 3, 5), "right",
    ),
    LayerCase(
        "EinsumDense",
        {
            "equation": "...x,xy->...y", "output_shape": 4, "activation": "tanh",
            "kernel_regularizer": "l2",
        },
        (2, 3, 5), "left",
    ),
    LayerCase(
        "EinsumDense", {"equation": "ab,cb->ac", "output_shape": 4, "lora_rank": 2}, (2, 5),
        "adapted", keras=False,
    ),
    LayerCase(
        "Embedding", {"input_dim": 7, "output_dim": 3, "lora_rank": 2}, ints(2, 5), "adapted",
        free=(0, 1), keras=False,
    ),
    LayerCase("ReversibleEmbedding", {"input_dim": 7, "output_dim": 3}, ints(2, 5), free=(0, 1)),
    LayerCase(
        "ReversibleEmbedding",
        {"input_dim": 7, "output_dim": 5, "tie_weights": False, "logit_soft_cap": 2.0},
        (2, 3, 5), "reverse", {"reverse": True}, trains={"embeddings": "it is not used"},
    ),
    LayerCase(
        "ReversibleEmbedding", {"input_dim": 7, "output_dim": 3, "mask_zero": True}, ints(2, 5),
        "masked", masks="made",
    ),
    LayerCase("Lambda", _softplus, LINE, free=(0, 1), masks="dropped", keras=False),
]  # fmt: skip
