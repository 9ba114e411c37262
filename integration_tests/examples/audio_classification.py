"""Classification of sounds, from the waveform over a spectrogram to a convolutional network.

The spectrogram is a layer of the model, so that it takes samples of a microphone, in `fit`, in
`predict` and after loading.
"""

import numpy as np

import keras_fn as keras
from keras_fn import layers

RATE, SAMPLES = 4000, 1024  # per second; of a sound
KINDS = ("rising", "falling", "steady")


def record_sounds(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns tones in noise of shape `(count, samples)`, and which of `KINDS` each is."""
    random = np.random.default_rng(seed)
    kinds = random.integers(0, len(KINDS), count)
    time = np.arange(SAMPLES) / RATE
    base = random.uniform(500, 1100, (count, 1))
    slope = random.uniform(1500, 2500, (count, 1)) * np.array([1, -1, 0])[kinds, None]
    tones = np.sin(
        2 * np.pi * (base * time + slope / 2 * time**2) + random.uniform(0, 6, (count, 1))
    )
    loudness = random.uniform(0.1, 1.0, (count, 1))
    sounds = loudness * (tones + 0.3 * random.normal(size=tones.shape))
    return sounds.astype("float32"), kinds


def make_model(sounds: np.ndarray, spectrogram: str = "mel") -> keras.Model:
    """Builds a model of waveforms.

    Args:
        sounds: Waveforms, to which the normalization of the spectrograms is adapted.
        spectrogram: `"mel"`, or `"stft"` for a spectrogram whose kernels are trained, too.
    """
    waveform = keras.Input((SAMPLES,), name="waveform")
    if spectrogram == "mel":
        layer = layers.MelSpectrogram(
            fft_length=256, sequence_stride=64, num_mel_bins=24, sampling_rate=RATE, min_freq=60.0
        )
        image = layers.Reshape((24, -1, 1))(layer(waveform))
    else:
        layer = layers.STFTSpectrogram(frame_length=128, frame_step=64, expand_dims=True)
        image = layer(layers.Reshape((-1, 1))(waveform))
    normalize = layers.Normalization(axis=None)
    normalize.adapt(keras.Model(waveform, image).predict(sounds, verbose=0))
    x = normalize(image)
    for filters in (8, 16):
        x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
        x = layers.MaxPooling2D(2)(x)
    x = layers.Dense(24, activation="relu")(layers.Flatten()(x))
    return keras.Model(waveform, layers.Dense(len(KINDS), activation="softmax")(x))


def main(spectrogram: str = "mel", epochs: int = 6) -> tuple[keras.Model, dict[str, list[float]]]:
    """Trains on waveforms, and returns the model and its history."""
    keras.utils.set_random_seed(7)
    sounds, kinds = record_sounds(384, seed=1)
    model = make_model(sounds, spectrogram)
    model.compile(
        keras.optimizers.Adam(0.004), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    validation = record_sounds(96, seed=2)
    history = model.fit(
        sounds, kinds, batch_size=32, epochs=epochs, validation_data=validation, verbose=0
    )
    return model, history.history


if __name__ == "__main__":
    print(main()[1]["val_accuracy"])
    print(main("stft")[1]["val_accuracy"])
