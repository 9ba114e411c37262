"""Type aliases of the backend contract."""

from collections.abc import Sequence
from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""The backend's tensor: `jax.Array`, `torch.Tensor`, `tf.Tensor`, a subclass of `np.ndarray`.

It is an alias of `Any` since the protocols are satisfied by functions of one such class, which
this package does not import. (`keras_fn.types.Tensor` is the type that users see.) A tensor has
`shape`, which iterates over the sizes, `dtype`, which can be hashed and compared, and Python's
operators, which compositions use like ops: next to a Python number of its kind a tensor keeps its
dtype, and dividing by zero is not an error. A mask is carried as the attribute `_keras_mask`; for
tensors that take no attributes, keras_fn stores the latest mask separately.
"""

Handle: TypeAlias = Any
"""The backend's object behind a `Variable`: an array, an `nn.Parameter`, a `tf.Variable`.

A handle is also a tensor: reading a variable returns its handle.
"""

Axis: TypeAlias = int | Sequence[int] | None
"""One axis, several, or None for all."""

Sizes: TypeAlias = int | Sequence[int]
"""One number for all spatial axes, or one for each."""
