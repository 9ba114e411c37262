"""Seeds: the generator that layers hold, and the global state that `set_random_seed` sets."""

import random
import sys
from collections.abc import Callable
from itertools import count
from typing import Any, Unpack

import numpy as np

from keras_fn.backend.loader import current
from keras_fn.core.naming import auto_name, name_scope
from keras_fn.core.scopes import context
from keras_fn.core.stateful import StatefulObject
from keras_fn.core.variable import Variable
from keras_fn.errors import DTypeError, unexpected_arguments
from keras_fn.ops import add, cast, mod, multiply
from keras_fn.random.philox import Key
from keras_fn.types import NoArguments, SeedLike, Tensor

_WORD = 2**32  # seeds on devices have 32 bits

_STEP = np.array([0, 1], "int32")


class SeedGenerator(StatefulObject):
    """Seed generator: returns a new key at each draw, and keeps its state in a variable.

    Each layer that draws random numbers holds one: its state is then part of the state of the
    model, and is saved and passed to compiled steps with it.

    Attributes:
        state: Variable of shape `(2,)`: the seed, and the number of draws so far.

    Args:
        seed: An integer. Default: drawn from the global seed.
        name: Name of the generator. Default: from the class name.

    Raises:
        TypeError: `seed` is not an integer.

    Example:
        >>> seed = keras.random.SeedGenerator(seed=3)
        >>> first, second = seed.next(), seed.next()
        >>> convert_to_numpy(first).tolist(), convert_to_numpy(second).tolist()
        ([3, 0], [3, 1])
    """

    kind = "seed"

    def __init__(
        self, seed: int | None = None, name: str | None = None, **kwargs: Unpack[NoArguments]
    ):
        if kwargs:
            raise unexpected_arguments("SeedGenerator", kwargs)
        self.name = auto_name(type(self).__name__) if name is None else name
        self._initial_seed = seed
        first = make_default_seed() if seed is None else _check_seed(seed, "SeedGenerator")
        with name_scope(self.name):
            self.state = Variable(
                np.array([first % _WORD, 0], "uint32"), trainable=False, name="seed_generator_state"
            )

    @property
    def variables(self) -> list[Variable]:
        """The state, in a list."""
        return [self.state]

    def next(self, ordered: bool = True) -> Tensor:
        """Returns the key of the next draw, and updates the state.

        Args:
            ordered: Whether to count the draws (default True); else both numbers of the state are
                scrambled.

        Returns:
            An integer tensor of shape `(2,)`.
        """
        if context.current.symbolic:
            return self.state.value
        # A copy, as assigning may change the tensor that was read; int64, as not every backend
        # computes with uint32.
        key = cast(self.state, "int64")
        self.state.assign(add(key, _STEP) if ordered else mod(multiply(add(key, 1), 5387), 933199))
        return key

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor arguments as a JSON-serializable dict."""
        return {"seed": self._initial_seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SeedGenerator":
        """Creates a generator from the dict that `get_config` returned."""
        return cls(**config)


class _GlobalSeedState:
    """The global seed state, since the last `set_random_seed`.

    Before the first one, seeds are drawn from Python's global random numbers, as Keras draws them:
    a program that calls `random.seed` has the same results in each run.
    """

    def __init__(self, seed: int | None):
        self.random, self.seed = random if seed is None else random.Random(seed), seed
        self.initial_draws = count(1)
        self.generator: SeedGenerator | None = None


_global_state = _GlobalSeedState(None)


def set_random_seed(seed: int) -> None:
    """Seeds initial weights, layers, the order of data, and Python's and NumPy's random numbers.

    Those of PyTorch and TensorFlow are seeded, too, if the program has imported them. Creating the
    same model afterwards results in the same weights, on every backend.

    Args:
        seed: An integer from 0 to 2**32 - 1.

    Raises:
        TypeError: `seed` is not an integer.
        ValueError: It is out of range.

    Example:
        >>> keras.utils.set_random_seed(1)
        >>> first = keras.initializers.GlorotUniform().draw((2, 2))
        >>> keras.utils.set_random_seed(1)
        >>> second = keras.initializers.GlorotUniform().draw((2, 2))
        >>> bool((first == second).all())
        True
    """
    global _global_state
    seed = _check_seed(seed, "set_random_seed")
    np.random.seed(seed)  # raises if it is out of range
    random.seed(seed)
    for library, seed_library in _SEEDED_LIBRARIES.items():
        if library in sys.modules:
            seed_library(sys.modules[library], seed)
    _global_state = _GlobalSeedState(seed)


# The libraries with random numbers of their own that a program may use next to these, if it has
# imported them.
_SEEDED_LIBRARIES: dict[str, Callable[[Any, int], Any]] = {
    "torch": lambda torch, seed: torch.manual_seed(seed),
    "tensorflow": lambda tensorflow, seed: tensorflow.random.set_seed(seed),
}


def get_random_seed() -> int | None:
    """Returns the seed of the last `set_random_seed`, or None if it was not called."""
    return _global_state.seed


def make_default_seed() -> int:
    """Returns a new seed, derived from the global seed."""
    return _global_state.random.randrange(1, 10**9)


def global_seed_generator() -> SeedGenerator:
    """Returns the global generator, for draws without a seed."""
    if _global_state.generator is None:
        _global_state.generator = SeedGenerator(name="global_seed_generator")
    return _global_state.generator


def clear_global_generator() -> None:
    """Discards the global generator; the next draw without a seed creates another."""
    _global_state.generator = None


def save_global_seed_state() -> Callable[[], None]:
    """Saves the global seed state.

    Returns:
        A function that restores it.
    """
    saved, generator = _global_state, _global_state.generator
    random_state, draws = saved.random.getstate(), next(saved.initial_draws)
    saved.initial_draws = count(draws)
    state = None if generator is None else generator.state.numpy()

    def restore() -> None:
        global _global_state
        _global_state = saved
        saved.random.setstate(random_state)
        saved.initial_draws, saved.generator = count(draws), generator
        if generator is not None and state is not None:
            generator.state.assign(state)

    return restore


def draw_seed(seed: Any) -> Tensor:
    """Returns the key of one draw, an integer tensor of shape `(2,)`.

    Args:
        seed: An integer (always the same key), a `SeedGenerator` (its next key), a tensor of two
            integers (the key itself), or None for the global generator.

    Raises:
        TypeError: It is of another type.
    """
    if seed is None:
        seed = global_seed_generator()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    backend = current()
    if backend.is_tensor(seed):
        return seed
    return backend.convert_to_tensor(np.array([_check_seed(seed, "seed") % _WORD, 0], "uint32"))


def initial_key(seed: SeedLike) -> Key:
    """Returns the key of one draw of initial values, on the host.

    Args:
        seed: An integer (always the same key), a `SeedGenerator` (its next key), or None for the
            global seed and the number of initial draws so far; for a new seed before the first
            `set_random_seed`.

    Returns:
        Two integers.
    """
    if seed is None:
        fixed = _global_state.seed
        if fixed is None:
            return make_default_seed(), 1
        return fixed, next(_global_state.initial_draws)
    if isinstance(seed, SeedGenerator):
        first, second = current().convert_to_numpy(seed.next()).tolist()
        return first % _WORD, second % _WORD
    return seed, 0  # global draws count from 1, so these keys differ


def _check_seed(seed: Any, source: str) -> int:
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool):
        return int(seed)
    raise DTypeError(
        source,
        expected="an integer seed, or a SeedGenerator where one is accepted",
        received=f"{seed!r} of type {type(seed).__name__}",
        fix="pass an integer, or None for the global seed",
    )
