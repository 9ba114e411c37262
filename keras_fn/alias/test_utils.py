"""Helpers of tests, which libraries take from `keras.src.testing.test_utils`."""

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

_Data = tuple[np.ndarray, np.ndarray]


def get_test_data(
    train_samples: int,
    test_samples: int,
    input_shape: tuple[int, ...],
    num_classes: int,
    random_seed: int | None = None,
) -> tuple[_Data, _Data]:
    """Returns samples of classes with well separated means, as many of each class.

    Args:
        train_samples: Number of samples for training.
        test_samples: Number of samples for tests.
        input_shape: Shape of a sample.
        num_classes: Number of classes.
        random_seed: Seed of the samples; None for others each time.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: samples in float32, and class indices.
    """
    generator = np.random.default_rng(random_seed)
    means = 2 * num_classes * generator.random((num_classes, *input_shape))

    def draw(count: int) -> _Data:
        y = generator.permutation(np.arange(count) % num_classes)
        x = means[y] + generator.standard_normal((count, *input_shape))
        return x.astype("float32"), y

    return draw(train_samples), draw(test_samples)


def named_product(
    *args: Iterable[Mapping[str, Any]], **kwargs: Iterable[Any]
) -> list[dict[str, Any]]:
    """Returns the Cartesian product of test cases, for absl's `parameterized.named_parameters`.

    Args:
        *args: Cases as dicts of arguments with a `testcase_name`. One of each is in a product.
        **kwargs: The values of an argument, each of which is a case with the value as its name.
    """
    factors = [list(cases) for cases in args]
    for argument, values in kwargs.items():
        factors.append([{"testcase_name": _name(x), argument: x} for x in values])
    products = []
    for cases in itertools.product(*reversed(factors)):  # the first factor varies fastest
        parts = cases[::-1]
        merged = {key: value for case in parts for key, value in case.items()}
        products.append(merged | {"testcase_name": "_".join(p["testcase_name"] for p in parts)})
    return products


def _name(value: Any) -> str:
    return str(getattr(value, "__name__", value)).lower()
