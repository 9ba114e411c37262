"""`MelSpectrogram` and `STFTSpectrogram`, next to NumPy."""

import numpy as np
import pytest

import keras_fn as keras
from keras_fn.errors import DTypeError, SpecError
from keras_fn.layers import MelSpectrogram, STFTSpectrogram

SIGNAL = np.random.default_rng(0).normal(size=(2, 300)).astype("float32")


def numpy(x):
    return keras.ops.convert_to_numpy(x)


def transform(signals, length, step, window):
    """The Fourier transforms of windowed frames, of shape (..., frames, frequencies)."""
    starts = np.arange(0, signals.shape[-1] - length + 1, step)
    frames = signals[..., starts[:, None] + np.arange(length)]
    return np.fft.rfft(frames * window)


def test_the_bands_are_triangles_in_mel():
    layer = MelSpectrogram()
    weights = numpy(layer.linear_to_mel_weight_matrix(20, 129, 8000, 125.0, 3800.0))
    assert weights.shape == (129, 20) and (weights[0] == 0).all()
    mel = lambda f: 2595 * np.log10(1 + f / 700)  # noqa: E731
    edges = np.linspace(mel(125.0), mel(3800.0), 22)
    for band in (0, 7, 19):
        expected = np.interp(mel(np.linspace(0, 4000, 129)), edges[band : band + 3], [0, 1, 0])
        np.testing.assert_allclose(weights[:, band], expected, atol=2e-5)


@pytest.mark.parametrize("exponent", [2.0, 0.5])
def test_a_mel_spectrogram_sums_energies_in_bands(exponent):
    layer = MelSpectrogram(
        fft_length=64, sequence_stride=20, num_mel_bins=6, mag_exp=exponent, power_to_db=False
    )
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(64) / 64)
    padded = np.pad(SIGNAL.astype("float64"), [(0, 0), (32, 32)], mode="reflect")
    energies = np.abs(transform(padded, 64, 20, window)) ** exponent
    weights = numpy(layer.linear_to_mel_weight_matrix(6, 33, 16000, 20.0, 8000.0, "float32"))
    expected = np.swapaxes(energies @ weights, -1, -2)
    np.testing.assert_allclose(numpy(layer(SIGNAL)), expected, 1e-4, 1e-4 * expected.max())
    assert layer(keras.Input((300,))).shape == (None, 6, 16)
    assert layer(keras.Input((None,))).shape == (None, 6, None)


def test_decibels_are_those_of_a_sample_alone():
    options = {"fft_length": 64, "sequence_stride": 64, "num_mel_bins": 6}
    layer = MelSpectrogram(top_db=10.0, **options)
    found = numpy(layer(np.stack([SIGNAL[0] * 100, SIGNAL[0]])))
    np.testing.assert_allclose(found[0] - 40.0, found[1], atol=1e-3)
    np.testing.assert_allclose(found[1], numpy(layer(SIGNAL))[0], atol=1e-4)
    np.testing.assert_allclose(found.max((1, 2)) - found.min((1, 2)), 10.0, atol=1e-4)
    quiet = numpy(MelSpectrogram(ref_power=100.0, **options)(SIGNAL * 0))
    np.testing.assert_allclose(quiet, -120.0, atol=1e-4)


def test_integer_samples_and_half_precision():
    samples = (SIGNAL * 3000).astype("int16")
    options = {"fft_length": 64, "num_mel_bins": 4}
    exact = numpy(MelSpectrogram(**options)(samples.astype("float32")))
    np.testing.assert_allclose(numpy(MelSpectrogram(**options)(samples)), exact, 1e-6)
    half = MelSpectrogram(dtype="mixed_float16", **options)(samples)
    assert keras.ops.dtype(half) == "float16"
    np.testing.assert_allclose(numpy(half).astype("float32"), exact, 2e-3)


def test_modes_of_a_spectrogram_are_parts_of_one_transform():
    window = np.hanning(32)
    expected = transform(SIGNAL.astype("float64"), 32, 16, window / np.sqrt((window**2).sum()))
    power = np.abs(expected) ** 2
    sides = np.where(np.isin(np.arange(17), [0, 16]), 1, 2)
    parts = {
        "real": expected.real,
        "imag": expected.imag,
        "stft": np.concatenate([expected.real, expected.imag], -1),
        "magnitude": np.sqrt(np.maximum(power, 1e-7)),
        "log": 0.5 * np.log(np.maximum(power, 1e-7)),
        "psd": power * sides,
    }
    for mode, part in parts.items():
        found = numpy(STFTSpectrogram(mode, frame_length=32)(SIGNAL[..., None]))
        np.testing.assert_allclose(found, part, 1e-4, 1e-4, err_msg=mode)
    angle = numpy(STFTSpectrogram("angle", frame_length=32)(SIGNAL[..., None]))
    np.testing.assert_allclose(np.exp(1j * angle) * np.abs(expected), expected, 1e-3, 1e-3)


@pytest.mark.parametrize("expand_dims", [False, True])
def test_both_data_formats_and_channels(expand_dims):
    options = {"frame_length": 16, "padding": "same", "expand_dims": expand_dims}
    stereo = np.stack([SIGNAL, SIGNAL[::-1]], -1)
    last = STFTSpectrogram(data_format="channels_last", **options)
    first = STFTSpectrogram(data_format="channels_first", **options)
    y, z = numpy(last(stereo)), numpy(first(np.swapaxes(stereo, 1, 2)))
    assert last(keras.Input((None, 2))).shape == (None, None, *y.shape[2:])
    assert first(keras.Input((2, None))).shape == (
        (None, 2, None, 9) if expand_dims else (None, 18, None)
    )
    if expand_dims:
        assert y.shape == (2, 38, 9, 2) and z.shape == (2, 2, 38, 9)
        np.testing.assert_array_equal(np.transpose(z, (0, 2, 3, 1)), y)
    else:
        assert y.shape == (2, 38, 18) and z.shape == (2, 18, 38)
        np.testing.assert_array_equal(np.swapaxes(z, 1, 2), y)


def test_kernels_are_trained_unless_frozen():
    assert len(keras.Sequential([keras.Input((300, 1)), STFTSpectrogram()]).weights) == 2
    layer = STFTSpectrogram("real", frame_length=16, trainable=False)
    layer.build((None, 64, 1))
    assert [w.name for w in layer.weights] == ["real_kernel"] and not layer.trainable_weights
    window = np.hanning(16).tolist()
    again = STFTSpectrogram.from_config(
        STFTSpectrogram(frame_length=16, window=window).get_config()
    )
    assert again.window.tolist() == window


def refusals():
    return {
        "at most fft_length=64": lambda: MelSpectrogram(fft_length=64, sequence_length=65),
        "below max_freq=8000": lambda: MelSpectrogram(min_freq=9000.0),
        "'hann', 'hamming'": lambda: MelSpectrogram(window="blackman"),
        "8 values": lambda: MelSpectrogram(fft_length=8, window=[1.0, 2.0]),
        "'log' or": lambda: STFTSpectrogram("decibels"),
        "from 1 to frame_length=8": lambda: STFTSpectrogram(frame_length=8, frame_step=9),
        "at least frame_length=8": lambda: STFTSpectrogram(frame_length=8, fft_length=4),
        "values of shape (2,)": lambda: STFTSpectrogram(window=[1.0, 2.0]),
        "'density' or 'spectrum'": lambda: STFTSpectrogram(scaling="energy"),
        "rank 3": lambda: STFTSpectrogram()(SIGNAL),
        "received: a tensor of dtype int32": lambda: STFTSpectrogram()(
            np.zeros((1, 300, 1), "int32")
        ),
    }


@pytest.mark.parametrize("words", refusals())
def test_what_does_not_fit_is_refused_by_name(words):
    with pytest.raises((SpecError, DTypeError), match=r"(?i)spectrogram") as error:
        refusals()[words]()
    assert words in str(error.value)
