"""ResNet50: the public namespace `keras.applications.resnet50`."""

from keras_fn.applications.resnet import ResNet50, decode_predictions, preprocess_input

__all__ = ["ResNet50", "decode_predictions", "preprocess_input"]


def __dir__() -> list[str]:
    return __all__
