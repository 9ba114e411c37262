"""Cases and references that the chapters of images share."""

from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import array, case, tensor

FORMATS = ("channels_last", "channels_first")


def by_image(function: Any) -> Any:
    """A function of one image `(height, width, channels)` as one of images in any layout.

    Arguments that are arrays, after the images, are for all images, or one for each.
    """

    def call(images: Any, *args: Any, data_format: str = "channels_last", **options: Any) -> Any:
        first = data_format == "channels_first"
        batch = images if images.ndim == 4 else images[None]
        results = []
        for i, image in enumerate(batch):
            image = np.moveaxis(image, 0, -1) if first else image
            result = function(image, *[each(x, i) for x in args], **options)
            results.append(np.moveaxis(result, 2, 0) if first else result)
        shape = results[0].shape if results else ()
        stacked = np.stack(results) if results else np.zeros((0, *shape))
        return stacked if images.ndim == 4 else stacked[0]

    def each(x: Any, i: int) -> Any:
        rank = {8: 1, 2: 2}.get(x.shape[-1] if isinstance(x, np.ndarray) else 0, 0)
        return x[i] if rank and x.ndim > rank else x

    return call


def as_pixels(result: Any, images: Any) -> Any:
    """Rounds where the images are integers."""
    return np.round(result) if images.dtype.kind in "iu" else result


def images(data_format: str = "channels_last", batch: bool = True, channels: str = "c", **k: Any):
    """A tensor of images."""
    last = data_format == "channels_last"
    shape = f"h w {channels}" if last else f"{channels} h w"
    return tensor(f"n {shape}" if batch else shape, **k)


def layouts(op: str, *args: Any, channels: str = "c", draw: Any = None, **fields: Any) -> Any:
    """Cases of both layouts, of batches and of single images."""
    fields = {"min_size": 1, **fields}
    return [
        case(op, images(f, batch, channels, **(draw or {})), *args, data_format=f, **fields)
        for f, batch in (
            (FORMATS[0], True),
            (FORMATS[1], True),
            (FORMATS[0], False),
            (FORMATS[1], False),
        )
    ]


_UNIT = {"low": 0.05, "high": 0.95}

_VECTOR, _IMAGE = array([1.0, 2.0]), array(np.ones((2, 2, 3)))

_LAST = {"data_format": "channels_last"}
