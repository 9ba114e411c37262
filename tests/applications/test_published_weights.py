"""Pretrained weights: fetched from a server on 127.0.0.1, checked by hash, kept in the cache."""

import pytest

import keras_fn as keras
from keras_fn.applications import published_weights
from keras_fn.core.variable import Variable

ARGUMENTS = {"include_top": False, "pooling": "avg", "input_shape": (32, 32, 3)}
KEY = "mobilenet_v3_small_minimalistic_224_1.0"


@pytest.fixture
def weights(tmp_path) -> bytes:
    """A file as Keras publishes them: weights alone, in the old layout."""
    model = keras.applications.MobileNetV3Small(weights=None, minimalistic=True, **ARGUMENTS)
    model.save(tmp_path / "weights.h5", include_optimizer=False)
    return (tmp_path / "weights.h5").read_bytes()


def build() -> keras.Model:
    return keras.applications.MobileNetV3Small(minimalistic=True, **ARGUMENTS)


def test_a_published_file_is_fetched_once_and_nothing_is_drawn(
    weights, publish_weights, tmp_path, monkeypatch
):
    file = publish_weights(KEY, weights)
    drawn = []
    monkeypatch.setattr(
        keras.initializers.GlorotUniform, "__call__", lambda *args, **_: drawn.append(args)
    )
    model = build()
    assert not drawn
    file.unlink()
    again = build()
    first, second = (m.get_layer("conv").kernel.numpy() for m in (model, again))
    assert (first == second).all()
    assert first.any()
    assert (tmp_path / "home" / "models" / file.name).exists()


def test_a_file_with_another_hash_is_refused_before_a_layer_is_made(
    weights, publish_weights, monkeypatch
):
    file = publish_weights(KEY, weights)
    file.write_bytes(b"something else")
    made = []
    monkeypatch.setattr(Variable, "__init__", lambda *args, **_: made.append(args))
    with pytest.raises(ValueError, match="md5 hash"):
        build()
    assert not made


def test_urls_and_names_in_the_cache_are_those_of_keras(monkeypatch):
    fetched = []

    def get_file(name, url, **options):
        fetched.append((name, url, options["file_hash"]))
        return name

    monkeypatch.setattr(published_weights, "get_file", get_file)
    monkeypatch.delenv("KERAS_APPLICATIONS_URL", raising=False)
    for key in ("resnet50", "efficientnetb0", "nasnet_mobile", "mobilenet_0.25_160"):
        published_weights.fetch(published_weights.PUBLISHED[key].without_top)
    root = "https://storage.googleapis.com"
    folder = f"{root}/tensorflow/keras-applications"
    resnet = "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5"
    mobilenet = "mobilenet_2_5_160_tf_no_top.h5"
    assert fetched == [
        (resnet, f"{folder}/resnet/{resnet}", "4d473c1dd8becc155b73f8504c6f6626"),
        (
            "efficientnetb0_notop.h5",
            f"{root}/keras-applications/efficientnetb0_notop.h5",
            "50bc09e76180e00e4465e1a485ddc09d",
        ),
        (
            "nasnet_mobile_no_top.h5",
            f"{folder}/nasnet/NASNet-mobile-no-top.h5",
            "1ed92395b5b598bdda52abe5c0dbfd63",
        ),
        (mobilenet, f"{folder}/mobilenet/{mobilenet}", None),
    ]


@pytest.mark.parametrize(
    ("function", "arguments", "key"),
    [
        ("MobileNet", {"alpha": 0.5, "input_shape": (160, 160, 3)}, "mobilenet_0.5_160"),
        ("MobileNet", {"include_top": False, "input_shape": (99, 99, 3)}, "mobilenet_1.0_224"),
        ("MobileNetV2", {"alpha": 1.4, "input_shape": (96, 96, 3)}, "mobilenet_v2_1.4_96"),
        ("MobileNetV2", {"input_tensor": keras.Input((128, 128, 3))}, "mobilenet_v2_1.0_128"),
        ("MobileNetV3Large", {"alpha": 0.75}, "mobilenet_v3_large_224_0.75"),
        ("MobileNetV3Small", {"minimalistic": True}, KEY),
        ("ResNet101V2", {}, "resnet101v2"),
    ],
)
def test_arguments_choose_the_file(function, arguments, key, monkeypatch):
    class Fetched(Exception): ...

    def fetch(file):
        raise Fetched(file.name)

    monkeypatch.setattr(published_weights, "fetch", fetch)
    files = published_weights.PUBLISHED[key]
    file = files.with_top if arguments.get("include_top", True) else files.without_top
    with pytest.raises(Fetched, match=file.name):
        getattr(keras.applications, function)(**arguments)
