"""Event files of TensorBoard: scalars, histograms, images and the graph of a model.

TensorBoard's own library provides the messages and their encoding; no part of it loads TensorFlow,
whether installed or not.
"""

import io
import os
import socket
import time
from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from keras_fn._lazy import LazyModule
from keras_fn.distribution.processes import is_primary
from keras_fn.types import AnyModel, PathLike
from keras_fn.visualization.diagram import Box, Diagram, build_diagram

_tensorboard_module = partial(LazyModule, pip="keras-fn[tensorboard]")

_attributes = _tensorboard_module("tensorboard.compat.proto.attr_value_pb2")
_events = _tensorboard_module("tensorboard.compat.proto.event_pb2")
_graphs = _tensorboard_module("tensorboard.compat.proto.graph_pb2")
_histograms = _tensorboard_module("tensorboard.plugins.histogram.summary_v2")
_images = _tensorboard_module("tensorboard.plugins.image.metadata")
_nodes = _tensorboard_module("tensorboard.compat.proto.node_def_pb2")
_pil_image = _tensorboard_module("PIL.Image")  # a dependency of TensorBoard
_records = _tensorboard_module("tensorboard.summary.writer.record_writer")
_scalars = _tensorboard_module("tensorboard.plugins.scalar.summary_v2")
_summaries = _tensorboard_module("tensorboard.compat.proto.summary_pb2")
_tensors = _tensorboard_module("tensorboard.util.tensor_util")

_file_counter = count()  # unique numbers for the files of this process
_FLUSH_SECONDS = 30.0
_MAX_IMAGES = 3


class EventFileWriter:
    """Writer of an event file. Events are buffered, and written by `flush`.

    Args:
        folder: Folder of the file; created if it does not exist.

    Raises:
        ImportError: TensorBoard is not installed.
    """

    def __init__(self, folder: PathLike):
        name = f"{time.time():.0f}.{socket.gethostname()}.{os.getpid()}.{next(_file_counter)}"
        self.path = Path(folder, f"events.out.tfevents.{name}")
        self._buffer = io.BytesIO()
        self._flushed_at = time.monotonic()
        self._add_event(file_version="brain.Event:2")
        if is_primary():
            self.path.parent.mkdir(parents=True, exist_ok=True)

    def add_scalar(self, tag: str, value: float | np.ndarray, step: int) -> None:
        """Writes a scalar.

        Args:
            tag: Name of the series.
            value: The scalar.
            step: Training step or epoch.
        """
        self._add_event(summary=_scalars.scalar_pb(tag, np.asarray(value, "float32")), step=step)

    def add_histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """Writes the histogram of an array, without its non-finite values.

        Args:
            tag: Name of the series.
            values: Array of any shape.
            step: Training step or epoch.
        """
        values = np.asarray(values, "float64")
        summary = _histograms.histogram_pb(tag, values[np.isfinite(values)])
        self._add_event(summary=summary, step=step)

    def add_images(self, tag: str, values: np.ndarray, step: int) -> None:
        """Writes the first images of a batch, as grayscale.

        Args:
            tag: Name of the series.
            values: Array of shape `(images, height, width)`; each image is scaled from its minimum,
                black, to its maximum, white.
            step: Training step or epoch.
        """
        _, height, width = values.shape
        encoded = [_encode_png(image) for image in values[:_MAX_IMAGES]]
        content = [str(width).encode(), str(height).encode(), *encoded]
        value = _summaries.Summary.Value(
            tag=tag,
            metadata=_images.create_summary_metadata(display_name=None, description=None),
            tensor=_tensors.make_tensor_proto(content),
        )
        self._add_event(summary=_summaries.Summary(value=[value]), step=step)

    def add_graph(self, model: AnyModel) -> None:
        """Writes the graph of a model."""
        self._add_event(graph_def=make_graph_def(model).SerializeToString())

    def _add_event(self, **fields: Any) -> None:
        event = _events.Event(wall_time=time.time(), **fields)
        _records.RecordWriter(self._buffer).write(event.SerializeToString())
        if time.monotonic() - self._flushed_at > _FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Appends the buffered events to the file; those of other processes are dropped."""
        if is_primary():
            with open(self.path, "ab") as file:
                file.write(self._buffer.getvalue())
        self._buffer = io.BytesIO()
        self._flushed_at = time.monotonic()


def _encode_png(image: np.ndarray) -> bytes:
    values = np.asarray(image, "float64")
    values = np.where(np.isfinite(values), values, 0)
    value_range = np.ptp(values)
    gray = (values - values.min()) / value_range * 255 if value_range else np.zeros_like(values)
    file = io.BytesIO()
    _pil_image.fromarray(gray.astype("uint8")).save(file, format="PNG")
    return file.getvalue()


def weight_to_images(weight: np.ndarray) -> np.ndarray:
    """Reshapes a weight to a batch of images.

    Args:
        weight: Array of any shape. A vector becomes an image of one row, a matrix one image; with
            more axes, the last is the batch axis and the first the height.

    Returns:
        Array of shape `(images, height, width)`.
    """
    if weight.ndim < 3:
        return np.reshape(weight, (1, -1, weight.shape[-1] if weight.ndim else 1))
    return np.moveaxis(weight, -1, 0).reshape(weight.shape[-1], weight.shape[0], -1)


def make_graph_def(model: AnyModel) -> Any:
    """Returns the graph of a model as a `GraphDef` message: one node per layer or op.

    Nested models are name scopes, which TensorBoard shows as groups. Output shape, dtype,
    activation and trainability are attributes of a node.
    """
    diagram = build_diagram(model, expand_nested=True)
    boxes: dict[str, tuple[str, Box]] = {}
    edges: list[tuple[str, str]] = []
    _collect_boxes(diagram, "", boxes, edges)
    sources: dict[str, list[str]] = {}
    for source, target in edges:
        sources.setdefault(target, []).append(boxes[source][0])
    nodes = [
        _nodes.NodeDef(
            name=name, op=box.class_name, input=sources.get(key, []), attr=_node_attributes(box)
        )
        for key, (name, box) in boxes.items()
    ]
    return _graphs.GraphDef(node=nodes)


def _collect_boxes(diagram: Diagram, prefix: str, boxes: dict[str, Any], edges: list[Any]) -> None:
    """Adds the boxes of a diagram and of nested ones, with their paths, and the edges."""
    edges += diagram.edges
    for item in diagram.items:
        if isinstance(item, Diagram):
            _collect_boxes(item, f"{prefix}{item.name}/", boxes, edges)
        else:
            boxes[item.key] = f"{prefix}{item.name}", item


def _node_attributes(box: Box) -> dict[str, Any]:
    attr_value: Callable[..., Any] = _attributes.AttrValue
    values = {"output_shape": box.outputs.text, "dtype": box.dtype, "activation": box.activation}
    texts = {key: attr_value(s=text.encode()) for key, text in values.items() if text}
    if box.trainable is None:
        return texts
    return {**texts, "trainable": attr_value(b=box.trainable)}
