"""Bounding boxes of images that have different numbers of them, as dense tensors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.ragged import get_samples, is_ragged
from keras_fn.errors import SpecError

_PADDING = {"boxes": 0, "labels": -1}


def to_dense_boxes(bounding_boxes: Any, source: str) -> dict[str, Any]:
    """Returns bounding boxes whose lists and ragged tensors are padded arrays.

    Args:
        bounding_boxes: A dict of `"boxes"` and `"labels"`: tensors, arrays, nested lists (one for
            each image, of unequal lengths) or ragged tensors.
        source: The layer, for errors.

    Returns:
        A copy of the dict. Missing boxes are 0, and have the label -1.

    Raises:
        SpecError: The keys are missing, or the boxes have not four numbers each.
    """
    if not isinstance(bounding_boxes, Mapping) or not {"boxes", "labels"} <= set(bounding_boxes):
        keys = sorted(bounding_boxes) if isinstance(bounding_boxes, Mapping) else bounding_boxes
        raise SpecError(
            source,
            expected='bounding_boxes: a dict of "boxes" and "labels"',
            received=f"{keys!r}"[:200],
            fix='pass {"boxes": boxes, "labels": labels}',
        )
    dense = {k: _to_dense(v, k, source) for k, v in bounding_boxes.items()}
    shape = tuple(dense["boxes"].shape)
    if len(shape) not in (2, 3) or shape[-1] not in (4, None):
        raise SpecError(
            source,
            expected="boxes of shape (boxes, 4) or (batch, boxes, 4)",
            received=f"shape {shape}",
            fix="pass four numbers for each box",
        )
    return dense


def _to_dense(value: Any, key: str, source: str) -> Any:
    if is_ragged(value):
        samples = get_samples(value, source)
    elif isinstance(value, (list, tuple)):
        samples = [_to_array(sample) for sample in value]
    else:
        return value
    tail = (4,) if key == "boxes" else ()
    dtype = "float32" if key == "boxes" else np.result_type(*[s for s in samples if s.size] or [0])
    if all(sample.ndim == len(tail) and sample.size for sample in samples):
        return np.asarray(samples, dtype)  # of one image
    if key == "boxes" and any(sample.size % 4 for sample in samples):
        return samples[0]  # the caller refuses its shape
    samples = [np.reshape(sample, (-1, *tail)) for sample in samples]
    size = max(len(sample) for sample in samples)
    dense = np.full((len(samples), size, *tail), _PADDING.get(key, 0), dtype)
    for row, sample in zip(dense, samples, strict=True):
        row[: len(sample)] = sample
    return dense


def _to_array(sample: Any) -> np.ndarray:
    return np.asarray(current().convert_to_numpy(sample) if current().is_tensor(sample) else sample)
