"""Rows of recurrent layers, cells and wrappers."""

from typing import Any

from layer_cases.case import LayerCase, floats

_STATE = floats(2, 2)
_MASKED = {"masks": "used", "free": (0, 1), "slopes": True}


def _inner(argument: str, cls: str, **given: Any) -> Any:
    """A function that makes an argument, which is a layer."""
    return lambda layers: {argument: getattr(layers, cls)(**given)}


CASES = [
    LayerCase("SimpleRNN", {"units": 2}, (2, 4, 3), **_MASKED),
    LayerCase("GRU", {"units": 2}, (2, 4, 3), **_MASKED),
    LayerCase("LSTM", {"units": 2}, (2, 4, 3), **_MASKED),
    *(
        LayerCase(
            f"ConvLSTM{rank}D", {"filters": 2, "kernel_size": 2}, (2, 4, *sizes, 2),
            free=(0, 1), masks="used", channels=2, slopes=rank == 1,
        )
        for rank, sizes in ((1, (4,)), (2, (4, 3)), (3, (3, 2, 3)))
    ),
    LayerCase(
        "ConvLSTM1D",
        {"filters": 2, "kernel_size": 3, "strides": 2, "padding": "same", "go_backwards": True,
         "return_sequences": True, "data_format": "channels_first"},
        (2, 4, 2, 5), "first",
    ),
    LayerCase("RNN", _inner("cell", "LSTMCell", units=2, name="cell"), (2, 4, 3), **_MASKED),
    LayerCase("Bidirectional", _inner("layer", "LSTM", units=2, name="a"), (2, 4, 3), **_MASKED),
    LayerCase(
        "TimeDistributed", _inner("layer", "Dense", units=2, name="a"), (2, 4, 3),
        free=(0, 1), masks="kept", slopes=True,
    ),
    LayerCase("SimpleRNNCell", {"units": 2}, (2, 3), call={"states": [_STATE]}),
    LayerCase("GRUCell", {"units": 2}, (2, 3), call={"states": [_STATE]}),
    LayerCase("LSTMCell", {"units": 2}, (2, 3), call={"states": [_STATE, _STATE]}),
    LayerCase(
        "StackedRNNCells",
        lambda layers: {"cells": [layers.GRUCell(2, name="a"), layers.SimpleRNNCell(2, name="b")]},
        (2, 3), call={"states": [[_STATE], [_STATE]]},
    ),
]  # fmt: skip
