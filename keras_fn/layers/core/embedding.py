"""Vectors by number."""

from typing import Any

from keras_fn.layers._arguments import add_described, count, describe
from keras_fn.layers.layer import Layer
from keras_fn.ops.core import cast
from keras_fn.ops.core import dtype as dtype_of
from keras_fn.ops.indexing import take
from keras_fn.ops.logic import not_equal


class Embedding(Layer):
    """A learned vector for each integer: row `i` of a table for the input `i`.

    Args:
        input_dim: Number of rows: the largest input plus 1.
        output_dim: Size of a vector.
        embeddings_initializer: How the table begins.
        embeddings_regularizer: Adds a loss of the table.
        embeddings_constraint: Applied to the table after each update.
        mask_zero: Whether an input of 0 means "nothing here", and is masked.
        weights: The table to begin with, an array of shape `(input_dim, output_dim)`.

    Input: integers of any shape; floats lose their fraction. Output: a tensor of that shape and
    an axis of size `output_dim` at the end.

    Raises:
        ValueError: A size is no positive integer, or `weights` has another shape.

    Example:
        >>> table = np.array([[0.0, 0.5], [1.0, 1.5]], "float32")
        >>> convert_to_numpy(keras.layers.Embedding(2, 2, weights=table)(np.array([1, 0]))).tolist()
        [[1.0, 1.5], [0.0, 0.5]]
    """

    _not_in_config = frozenset({"weights"})
    _written_when_none = frozenset({"activity_regularizer"})

    def __init__(
        self,
        input_dim: int,
        output_dim: int,
        embeddings_initializer: Any = "uniform",
        embeddings_regularizer: Any = None,
        embeddings_constraint: Any = None,
        mask_zero: bool = False,
        weights: Any = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.input_dim = count(self, "input_dim", input_dim)
        self.output_dim = count(self, "output_dim", output_dim)
        describe(
            self,
            "embeddings",
            embeddings_initializer,
            embeddings_regularizer,
            embeddings_constraint,
        )
        self.mask_zero = self.supports_masking = mask_zero
        self.autocast = False  # half-precision floats cannot count far
        if weights is not None:
            self.build()
            self.set_weights(weights if isinstance(weights, list) else [weights])

    def build(self, input_shape: Any = None) -> None:
        """Makes the table."""
        if not self.built:
            # Rows are cast after they are taken: the table is larger than they are.
            sizes = (self.input_dim, self.output_dim)
            self.embeddings = add_described(self, "embeddings", sizes, autocast=False)
            self.built = True

    def call(self, inputs: Any) -> Any:
        """Returns the vectors."""
        if dtype_of(inputs) not in ("int32", "int64"):
            inputs = cast(inputs, "int32")
        return cast(take(self.embeddings, inputs, axis=0), self.compute_dtype)

    @property
    def _makes_masks(self) -> bool:
        return super()._makes_masks and (
            self.mask_zero or type(self).compute_mask is not Embedding.compute_mask
        )

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Returns what is not 0, where 0 is masked."""
        return not_equal(inputs, 0) if self.mask_zero else None
