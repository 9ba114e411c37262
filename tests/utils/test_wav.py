"""WAV files and resampling, against SciPy."""

import wave

import numpy as np
import pytest
from scipy import signal

from keras_fn.errors import SpecError
from keras_fn.utils import wav
from keras_fn.utils.wav import read_wav, resample

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("dtype", "scale", "tolerance"),
    [("uint8", 128, 2**-7), ("int16", 2**15, 2**-15), ("int32", 2**31, 1e-7),
     ("float32", 1, 1e-7), ("float64", 1, 1e-7)],
)  # fmt: skip
@pytest.mark.parametrize("channels", [1, 2])
def test_wav_files_of_scipy_are_read(tmp_path, dtype, scale, tolerance, channels):
    wavfile = pytest.importorskip("scipy.io.wavfile")
    samples = RANDOM.uniform(-0.99, 0.99, (11, channels))
    stored = samples * scale + (128 if dtype == "uint8" else 0)
    wavfile.write(tmp_path / "a.wav", 8000, stored.astype(dtype))
    found, rate = read_wav(str(tmp_path / "a.wav"))
    assert rate == 8000 and found.dtype == "float32"
    np.testing.assert_allclose(found, samples, atol=tolerance)


def test_wav_files_of_24_bits(tmp_path):
    numbers = np.array([0, 1, -1, 2**23 - 1, -(2**23)])
    data = b"".join(int(n).to_bytes(3, "little", signed=True) for n in numbers)
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 3, 100, 0, "NONE", ""))
        file.writeframes(data)
    found, _ = read_wav(str(tmp_path / "a.wav"))
    np.testing.assert_allclose(found[:, 0], numbers / 2**23, atol=1e-7)


@pytest.mark.parametrize("contents", [b"", b"RIFF\0\0\0\0WAVE", b"ID3" * 9])
def test_other_files_are_refused(tmp_path, contents):
    (tmp_path / "a.wav").write_bytes(contents)
    with pytest.raises(SpecError, match="RIFF"):
        read_wav(str(tmp_path / "a.wav"))


@pytest.mark.parametrize(("rate", "new"), [(8000, 16000), (44100, 16000), (16000, 8000), (3, 2)])
def test_resampling_is_that_of_scipy(rate, new, monkeypatch):
    monkeypatch.setattr(wav, "_BLOCK", 64)
    samples = RANDOM.normal(size=(200, 2))
    divisor = np.gcd(rate, new)
    wanted = signal.resample_poly(samples, new // divisor, rate // divisor)
    np.testing.assert_allclose(resample(samples, rate, new), wanted, atol=1e-5)
    assert resample(samples[:0], rate, new).shape == (0, 2)
