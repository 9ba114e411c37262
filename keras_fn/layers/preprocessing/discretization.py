"""Discretization of numbers into bins."""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np

from keras_fn import dtype_policies
from keras_fn.core.keras_tensor import KerasTensor
from keras_fn.core.registry import CustomObjectScope
from keras_fn.errors import SpecError
from keras_fn.layers._arguments import argument_error, one_of, positive_int
from keras_fn.layers.preprocessing._adapt import iterate_batches, to_numbers
from keras_fn.layers.preprocessing._encoding import check_sparse, encode_categorical, encoded_shape
from keras_fn.layers.preprocessing._quantile_sketch import QuantileSketch
from keras_fn.layers.preprocessing.data_layer import DataLayer
from keras_fn.ops.sorting_searching import digitize
from keras_fn.types import DataLike, DTypeLike, Nested, Shape, Tensor

OUTPUT_MODES = ("int", "one_hot", "multi_hot", "count")


class Discretization(DataLayer):
    """Binning of continuous numbers: the index of the bin that a number falls into.

    The edges of the bins are given, or quantiles of data that `adapt` computes, so that the bins
    hold about as many numbers each.

    Args:
        bin_boundaries: The edges between the bins, in ascending order. `[0, 1]` makes three bins:
            below 0, from 0 to below 1, and from 1 on.
        num_bins: The number of bins, in place of their edges.
        epsilon: How far `adapt` may miss the rank of a quantile, as a fraction of the numbers.
        output_mode: What becomes of the indices: `"int"`: they are the output. `"one_hot"`: a
            vector with 1 at the index for each number, in place of a last axis of size 1. For each
            row along the last axis, `"multi_hot"`: a vector with 1 at each index that occurs;
            `"count"`: the number of times that each index occurs.
        sparse: Whether the vectors are a sparse tensor.
        dtype: The dtype or dtype policy of the layer. The global policy by default.
        name: The name of the layer. Unique and derived from the class by default.

    Input shape:
        A tensor of numbers of any shape. NaN falls into the last bin.

    Output shape:
        An int32 tensor of the same shape; or floats, of shape `(..., n, bins)` for `"one_hot"`
        and `(..., bins)` for `"multi_hot"` and `"count"`, where the input is of shape `(..., n)`.

    Raises:
        ValueError: Not exactly one of `bin_boundaries` and `num_bins` is given, the edges are not
            in order, or `sparse=True` comes with `"int"`.

    Example:
        >>> layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0])
        >>> convert_to_numpy(layer(np.array([-0.5, 0.0, 0.5, 7.0]))).tolist()
        [0, 1, 1, 2]
        >>> layer = keras.layers.Discretization(num_bins=4)
        >>> layer.adapt(np.arange(1.0, 9.0))
        >>> layer.bin_boundaries
        [2.0, 4.0, 6.0]
    """

    def __init__(
        self,
        bin_boundaries: Sequence[float] | None = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: DTypeLike | None = None,
        name: str | None = None,
    ):
        super().__init__(dtype=dtype, name=name)
        if (bin_boundaries is None) == (num_bins is None):
            raise SpecError(
                type(self).__name__,
                expected="either bin_boundaries or num_bins",
                received=f"bin_boundaries={bin_boundaries!r}, num_bins={num_bins!r}",
                fix="pass the edges of the bins, or their number and call adapt(data)",
            )
        self.bin_boundaries = None if bin_boundaries is None else _check_edges(self, bin_boundaries)
        self.num_bins = None if num_bins is None else positive_int(self, "num_bins", num_bins)
        if not isinstance(epsilon, (int, float)) or not 0 < epsilon < 1:
            raise argument_error(
                self, "epsilon", "a number between 0 and 1", epsilon, "for example epsilon=0.01"
            )
        self.epsilon = epsilon
        self.output_mode = one_of(self, "output_mode", output_mode, OUTPUT_MODES)
        self.sparse = check_sparse(self, sparse)
        self.autocast = False  # half precision would round numbers to other bins
        self._sketch = QuantileSketch(epsilon)

    def adapt(self, data: DataLike, steps: int | None = None) -> None:
        """Computes the edges of the bins from data, in place of earlier ones.

        The edges are constants of compiled functions, as in Keras: adapt the layer before a model
        with it is called or trained.

        Args:
            data: An array, a tensor or a list: the whole data set. Or what yields batches: a
                tf.data dataset, a torch DataLoader, a Grain data set, a `PyDataset`, a generator.
                Of batches `(x, y)`, only `x` counts. NaN is a missing value.
            steps: The number of batches to take; data that never ends needs it.

        Raises:
            ValueError: The edges were given to the constructor, or there is no data.
        """
        self._check_adaptable()
        self.reset_state()
        for batch in iterate_batches(data, self._label, steps=steps):
            self.update_state(batch)
        self.finalize_state()

    def _check_adaptable(self) -> None:
        if self.num_bins is None:
            raise SpecError(
                f"{self._label}, adapt",
                expected="a layer with num_bins",
                received=f"data in addition to bin_boundaries={self.bin_boundaries}"[:200],
                fix="pass num_bins= to the constructor in place of bin_boundaries=",
            )

    def reset_state(self) -> None:
        """Forgets the data that `update_state` was given."""
        self._sketch = QuantileSketch(self.epsilon)

    def update_state(self, data: DataLike) -> None:
        """Takes a batch into account, for the next `finalize_state`.

        Args:
            data: The batch.
        """
        self._check_adaptable()
        self._sketch.update(to_numbers(data, self._label))

    def finalize_state(self) -> None:
        """Computes the edges of the bins from the data of all `update_state`."""
        if self.num_bins is None:
            return
        if not self._sketch.count:
            raise SpecError(
                f"{self._label}, adapt",
                expected="numbers",
                received="none, or NaN alone",
                fix="pass data that is not empty",
            )
        step = 1.0 / self.num_bins
        fractions = [step + i * step for i in range(self.num_bins - 1)]
        edges = self._sketch.quantiles(fractions)
        self.bin_boundaries = edges.astype("float32").tolist()

    @property
    def output_dtype(self) -> str:
        """The dtype of the output."""
        return "int32" if self.output_mode == "int" else self.compute_dtype

    def call(self, inputs: Tensor) -> Tensor:
        """Returns the indices of the bins, encoded by `output_mode`."""
        if self.bin_boundaries is None:
            raise SpecError(
                self._label,
                expected="edges of the bins",
                received="a call before adapt()",
                fix="call layer.adapt(data) first, or pass bin_boundaries= to the constructor",
            )
        edges = np.asarray(self.bin_boundaries, "float32")
        return encode_categorical(
            digitize(inputs, edges),
            self.output_mode,
            len(self.bin_boundaries) + 1,
            self.output_dtype,
            self.sparse,
        )

    def compute_output_spec(self, inputs: Nested) -> Nested:
        """Returns the shape and dtype of the output, which is known before `adapt`."""
        shape = self.compute_output_shape(inputs.shape)
        sparse = self.sparse and self.output_mode != "int"
        return KerasTensor(shape, self.output_dtype, sparse, record_history=False)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Returns the shape of the output for the shape of an input."""
        bins = self.num_bins if self.bin_boundaries is None else len(self.bin_boundaries) + 1
        return encoded_shape(tuple(input_shape), self.output_mode, bins)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments of the constructor, as plain values, with the edges of `adapt`."""
        config = super().get_config()
        del config["trainable"]  # which the constructor does not take
        policy = self.dtype_policy
        is_plain = getattr(policy, "name", None) == self.dtype
        return {**config, "dtype": self.dtype if is_plain else dtype_policies.serialize(policy)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None
    ) -> Self:
        """Creates a layer from a config, as `get_config` returns it.

        Args:
            config: The config. It has `num_bins` and the edges that `adapt` computed.
            custom_objects: Custom classes and functions, by name.
        """
        with CustomObjectScope(custom_objects):
            edges = config.get("bin_boundaries")
            if edges is None or config.get("num_bins") is None:
                return super().from_config(config)
            layer = super().from_config({k: v for k, v in config.items() if k != "bin_boundaries"})
        layer.bin_boundaries = _check_edges(layer, edges)
        return layer

    def load_own_variables(self, store: Mapping[str, Any]) -> None:
        """Reads nothing: the edges are in the config. Keras 2 stored a summary of the data, too."""


def _check_edges(layer: Any, edges: Sequence[float]) -> list[float]:
    try:
        array = np.asarray(edges, np.float64)
    except (TypeError, ValueError):
        array = np.asarray(np.nan)
    if array.ndim != 1 or not bool(np.all(array[1:] >= array[:-1])):  # nor with NaN
        raise argument_error(
            layer,
            "bin_boundaries",
            "a list of numbers in ascending order",
            edges,
            "for example bin_boundaries=[0.0, 1.0, 2.0]",
        )
    return array.tolist()
