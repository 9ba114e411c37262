"""Event files, which TensorBoard shows: numbers, histograms, pictures, the graph of a model.

TensorBoard's own library gives the messages and their form in the file; nothing of it loads
TensorFlow, installed or not.
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

from keras_fn._lazy import Deferred
from keras_fn.visualization.diagram import Box, Diagram, build_diagram

_of_tensorboard = partial(Deferred, pip="keras-fn[tensorboard]")

_attributes = _of_tensorboard("tensorboard.compat.proto.attr_value_pb2")

_events = _of_tensorboard("tensorboard.compat.proto.event_pb2")

_graphs = _of_tensorboard("tensorboard.compat.proto.graph_pb2")

_histograms = _of_tensorboard("tensorboard.plugins.histogram.summary_v2")

_images = _of_tensorboard("tensorboard.plugins.image.metadata")

_nodes = _of_tensorboard("tensorboard.compat.proto.node_def_pb2")

_pictures = _of_tensorboard("PIL.Image")  # TensorBoard brings it along

_records = _of_tensorboard("tensorboard.summary.writer.record_writer")

_scalars = _of_tensorboard("tensorboard.plugins.scalar.summary_v2")

_summaries = _of_tensorboard("tensorboard.compat.proto.summary_pb2")

_tensors = _of_tensorboard("tensorboard.util.tensor_util")

_number = count()  # of the files of this process

_BUFFERED_SECONDS = 30.0

_MOST_IMAGES = 3


class EventFileWriter:
    """An event file in a folder. Between two calls of `flush` nothing is written or held open.

    Args:
        folder: The folder, which is made where it is missing.

    Raises:
        ImportError: TensorBoard is not installed.
    """

    def __init__(self, folder: Any):
        name = f"{time.time():.0f}.{socket.gethostname()}.{os.getpid()}.{next(_number)}"
        self.path = Path(folder, f"events.out.tfevents.{name}")
        self._buffer = io.BytesIO()
        self._flushed = time.monotonic()
        self._add(file_version="brain.Event:2")
        self.path.parent.mkdir(parents=True, exist_ok=True)

    def scalar(self, tag: str, value: Any, step: int) -> None:
        """Writes a number."""
        self._add(summary=_scalars.scalar_pb(tag, np.asarray(value, "float32")), step=step)

    def histogram(self, tag: str, values: np.ndarray, step: int) -> None:
        """Writes how values are distributed; those that are not finite are left out."""
        values = np.asarray(values, "float64")
        summary = _histograms.histogram_pb(tag, values[np.isfinite(values)])
        self._add(summary=summary, step=step)

    def images(self, tag: str, values: np.ndarray, step: int) -> None:
        """Draws the first of some pictures.

        Args:
            tag: Its name.
            values: Array of shape `(pictures, height, width)`; each is drawn from its least value,
                black, to its greatest, white.
            step: When it was.
        """
        _, height, width = values.shape
        drawn = [_png(picture) for picture in values[:_MOST_IMAGES]]
        content = [str(width).encode(), str(height).encode(), *drawn]
        value = _summaries.Summary.Value(
            tag=tag,
            metadata=_images.create_summary_metadata(display_name=None, description=None),
            tensor=_tensors.make_tensor_proto(content),
        )
        self._add(summary=_summaries.Summary(value=[value]), step=step)

    def graph(self, model: Any) -> None:
        """Writes the graph of a model."""
        self._add(graph_def=graph_def(model).SerializeToString())

    def _add(self, **fields: Any) -> None:
        event = _events.Event(wall_time=time.time(), **fields)
        _records.RecordWriter(self._buffer).write(event.SerializeToString())
        if time.monotonic() - self._flushed > _BUFFERED_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Writes to the disk what there is."""
        with open(self.path, "ab") as file:
            file.write(self._buffer.getvalue())
        self._buffer = io.BytesIO()
        self._flushed = time.monotonic()


def _png(picture: np.ndarray) -> bytes:
    values = np.asarray(picture, "float64")
    values = np.where(np.isfinite(values), values, 0)
    span = np.ptp(values)
    gray = (values - values.min()) / span * 255 if span else np.zeros_like(values)
    file = io.BytesIO()
    _pictures.fromarray(gray.astype("uint8")).save(file, format="PNG")
    return file.getvalue()


def weight_to_images(weight: np.ndarray) -> np.ndarray:
    """Cuts a weight into pictures.

    Args:
        weight: Array of any shape. A vector is a picture of one row, a matrix is one picture; of
            more axes, the last one numbers the pictures, the first is their height.

    Returns:
        Array of shape `(pictures, height, width)`.
    """
    if weight.ndim < 3:
        return np.reshape(weight, (1, -1, weight.shape[-1] if weight.ndim else 1))
    return np.moveaxis(weight, -1, 0).reshape(weight.shape[-1], weight.shape[0], -1)


def graph_def(model: Any) -> Any:
    """Returns the graph of a model as TensorBoard takes it: a node is a layer or an op.

    Nested models are groups, which a click opens. What a layer is and gives stands in its
    attributes.
    """
    diagram = build_diagram(model, expand_nested=True)
    boxes: dict[str, tuple[str, Box]] = {}
    edges: list[tuple[str, str]] = []
    _collect(diagram, "", boxes, edges)
    sources: dict[str, list[str]] = {}
    for source, target in edges:
        sources.setdefault(target, []).append(boxes[source][0])
    nodes = [
        _nodes.NodeDef(name=name, op=box.kind, input=sources.get(key, []), attr=_attributes_of(box))
        for key, (name, box) in boxes.items()
    ]
    return _graphs.GraphDef(node=nodes)


def _collect(diagram: Diagram, prefix: str, boxes: dict[str, Any], edges: list[Any]) -> None:
    """Finds the boxes of a diagram and of those inside it, with their paths, and the edges."""
    edges += diagram.edges
    for item in diagram.items:
        if isinstance(item, Diagram):
            _collect(item, f"{prefix}{item.name}/", boxes, edges)
        else:
            boxes[item.key] = f"{prefix}{item.name}", item


def _attributes_of(box: Box) -> dict[str, Any]:
    value: Callable[..., Any] = _attributes.AttrValue
    found = {"output_shape": box.outputs.text, "dtype": box.dtype, "activation": box.activation}
    texts = {key: value(s=text.encode()) for key, text in found.items() if text}
    return texts if box.trainable is None else {**texts, "trainable": value(b=box.trainable)}
