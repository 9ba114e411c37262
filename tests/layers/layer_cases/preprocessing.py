"""Rows of layers that prepare numbers: scales, categories, spectrograms."""

from typing import Any

import numpy as np

from layer_cases.case import Data, LayerCase, ints
from layer_cases.convolutional import LINE

_FEATURES = np.array([[0.0, 7.0, 4.0], [2.0, 9.0, 6.0], [1.0, 5.0, 5.0]], "float32")
_GIVEN = {"mean": [1.0, 2.0, 3.0], "variance": [1.0, 4.0, 0.25]}
_BINS = [-1.0, 0.0, 0.5]


def _bins(mode: str, inputs: Any = LINE, **more: Any) -> LayerCase:
    arguments = {"bin_boundaries": _BINS, "output_mode": mode}
    return LayerCase("Discretization", arguments, inputs, mode, **more)


def _stft(mode: str, variant: str = "", **arguments: Any) -> LayerCase:
    arguments = {"mode": mode, "frame_length": 8, **arguments}
    return LayerCase("STFTSpectrogram", arguments, (2, 40, 2), variant or mode, tolerance=1e-4)


CASES = [
    LayerCase(
        "Normalization", {}, (2, 4, 3), free=(0, 1), masks="kept",
        prepare=lambda layer: layer.adapt(_FEATURES[np.newaxis]),
    ),
    LayerCase("Normalization", _GIVEN, (2, 3), "given"),
    LayerCase("Normalization", {**_GIVEN, "invert": True}, (2, 4, 3), "inverse"),
    LayerCase("Normalization", {"axis": None, "mean": 2.0, "variance": 0.0}, (2, 3), "constant"),
    LayerCase(
        "Normalization", {"axis": [1, 2]}, (4, 3, 3), "axes",
        prepare=lambda layer: layer.adapt(np.stack([_FEATURES, _FEATURES**2, -_FEATURES])),
    ),
    LayerCase("Discretization", {"bin_boundaries": _BINS}, LINE, free=(0, 1), masks="dropped"),
    _bins("one_hot"),
    _bins("multi_hot", (2, 3)),
    _bins("count", (2, 3)),
    LayerCase("CategoryEncoding", {"num_tokens": 8}, ints(2, 3)),
    LayerCase(
        "CategoryEncoding", {"num_tokens": 8, "output_mode": "one_hot"}, ints(2, 3), "one-hot",
    ),
    LayerCase(
        "CategoryEncoding", {"num_tokens": 8, "output_mode": "one_hot"}, ints(3, 1), "column",
    ),
    LayerCase(
        "CategoryEncoding", {"num_tokens": 8, "output_mode": "count"}, ints(2, 3), "weighted",
        {"count_weights": Data((2, 3))},
    ),
    LayerCase(
        "MelSpectrogram",
        {"fft_length": 64, "sequence_stride": 16, "num_mel_bins": 8, "top_db": 20.0}, (2, 100),
        tolerance=1e-3,
    ),
    LayerCase(
        "MelSpectrogram",
        {
            "fft_length": 64, "sequence_length": 40, "sequence_stride": 16, "window": "hamming",
            "num_mel_bins": 8, "mag_exp": 1.0, "power_to_db": False, "min_freq": 100.0,
            "max_freq": 7000.0,
        },
        (100,), "magnitudes", free=(), tolerance=1e-4,
    ),
    LayerCase("STFTSpectrogram", {"frame_length": 8}, (2, 40, 2), slopes=True, tolerance=1e-4),
    *map(_stft, ("magnitude", "psd", "real", "imag", "stft")),
    _stft(
        "magnitude", "same", padding="same", frame_step=3, fft_length=16, window="hamming",
        periodic=True,
    ),
    _stft("stft", "images", scaling="spectrum", expand_dims=True),
    LayerCase("Rescaling", {"scale": 0.5, "offset": -1.0}, Data(LINE, "byte"), free=(0, 1)),
    LayerCase(
        "Rescaling", {"scale": [1.0, 2.0, 3.0], "offset": [0.0, 1.0, 2.0]}, (2, 3), "channels"
    ),
]  # fmt: skip
