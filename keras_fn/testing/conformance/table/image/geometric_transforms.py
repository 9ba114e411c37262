"""Cases of geometric transforms of images."""

import itertools
from typing import Any

import numpy as np

from keras_fn.testing.conformance.case import Case, OneOf, Refusal, array, case, refusal, tensor
from keras_fn.testing.conformance.table.image._cases import (
    _IMAGE,
    _LAST,
    _VECTOR,
    by_image,
    images,
    layouts,
)

MODES = {"nearest": "edge", "wrap": "wrap", "mirror": "reflect", "reflect": "symmetric"}

_FAR = 40  # elements that indices may lie beyond the ends


def looked_up(x: Any, coordinates: Any, order: int, fill_mode: str, fill_value: float) -> Any:
    """From an array that `np.pad` has continued."""
    widths = [(_FAR, _FAR)] * x.ndim
    if fill_mode == "constant":
        wide = np.pad(x.astype("float64"), widths, constant_values=fill_value)
    else:
        wide = x.astype("float64")
        for axis, n in enumerate(x.shape):  # NumPy mirrors nothing on an axis of size 1
            places = (
                np.pad(np.arange(n), _FAR, mode=MODES[fill_mode]) if n > 1 else np.zeros(81, int)
            )
            wide = np.take(wide, places, axis)
    if order == 0:
        near = np.sign(coordinates) * np.floor(np.abs(coordinates) + 0.5)
        return wide[tuple(near.astype(int) + _FAR)]
    low = np.floor(coordinates).astype(int)
    total = 0.0
    for corner in itertools.product((0, 1), repeat=x.ndim):
        share = 1.0
        for c, x_, l_ in zip(corner, coordinates, low, strict=True):
            share = share * (x_ - l_ if c else 1 - (x_ - l_))
        total = total + share * wide[tuple(n + c + _FAR for n, c in zip(low, corner, strict=True))]
    return total


def map_coordinates(
    x: Any, coordinates: Any, order: int, fill_mode: str = "constant", fill_value: float = 0
) -> Any:
    """Integers are rounded away from 0."""
    result = looked_up(x, coordinates, order, fill_mode, fill_value)
    return np.sign(result) * np.floor(np.abs(result) + 0.5) if x.dtype.kind == "i" else result


@by_image
def affine_transform(
    image: Any,
    p: Any,
    interpolation: str = "bilinear",
    fill_mode: str = "constant",
    fill_value: float = 0,
) -> Any:
    """Channel by channel."""
    y, x = np.indices(image.shape[:2])
    k = p[6] * x + p[7] * y + 1
    places = np.stack([(p[3] * x + p[4] * y + p[5]) / k, (p[0] * x + p[1] * y + p[2]) / k])
    order = int(interpolation == "bilinear")
    planes = [
        map_coordinates(image[..., c], places, order, fill_mode, fill_value)
        for c in range(image.shape[-1])
    ]
    return np.stack(planes, -1)


@by_image
def perspective_transform(
    image: Any, start: Any, end: Any, interpolation: str = "bilinear", fill_value: float = 0
) -> Any:
    """The homography from four pairs of points."""
    rows, places = [], []
    for (u, v), (x, y) in zip(start, end, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        places += [u, v]
    p = np.linalg.solve(np.array(rows), np.array(places))
    return affine_transform(image, p, interpolation, "constant", fill_value)


_TURN = tensor(
    "8",
    low=-0.1,
    high=0.1,
    dtype="float32",
    transform=lambda p: p * [9, 9, 20, 9, 9, 20, 0.3, 0.3] + [1, 0, 0, 0, 1, 0, 0, 0],
)

_TURNS = tensor("n 8", low=-0.1, high=0.1, dtype="float32", transform=_TURN.transform)

_SQUARE = [[0.0, 0.0], [3.0, 0.0], [0.0, 3.0], [3.0, 3.0]]

_MOVED = tensor("4 2", low=-0.4, high=0.4, dtype="float32", transform=lambda p: p + _SQUARE)

_MOVES = tensor("n 4 2", low=-0.4, high=0.4, dtype="float32", transform=_MOVED.transform)

_POINTS = array(_SQUARE)

_TRANSFORM = array([1.0, 0, 0, 0, 1, 0, 0, 0])

CASES: list[Case] = [
    # Pixels looked up elsewhere
    *(
        case(
            "image.map_coordinates",
            tensor("a b"),
            tensor("2 m n", -9, 9, dtype="float32"),
            order,
            mode,
            fill,
            ref=map_coordinates,
            min_size=1,
        )
        for order in (0, 1)
        for mode, fill in (("constant", 0), ("constant", 2), *((m, 0) for m in MODES))
    ),
    case(
        "image.map_coordinates",
        tensor("a b c"),
        tensor("3 m", -2, 4, dtype="float32"),
        1,
        ref=map_coordinates,
        min_size=1,
    ),
    case(
        "image.map_coordinates",
        tensor("a"),
        tensor("1 m", -2, 4, dtype="int32"),
        1,
        fill_mode="wrap",
        ref=map_coordinates,
        min_size=1,
    ),
    *(
        c
        for mode in ("constant", *MODES)
        for c in layouts(
            "image.affine_transform",
            _TURN,
            ref=affine_transform,
            fill_mode=mode,
            interpolation="bilinear",
            fill_value=OneOf([0, 1.5]),
            dtypes=("float32", "bfloat16"),
        )[:2]
    ),
    case(
        "image.affine_transform",
        images(),
        _TURNS,
        ref=affine_transform,
        min_size=1,
        data_format="channels_last",
    ),
    case(
        "image.affine_transform",
        images(batch=False),
        _TURN,
        ref=affine_transform,
        min_size=1,
        interpolation="nearest",
        data_format="channels_last",
    ),
    case(
        "image.affine_transform",
        images(),
        array([[1.0, 0, 0.7, 0, 1, -0.6, 0, 0]], "float32"),
        min_size=1,
        ref=lambda x, p, **options: affine_transform(x, p[0], **options),
        data_format="channels_last",
    ),
    *layouts(
        "image.perspective_transform",
        _MOVED,
        array(_SQUARE, "float32"),
        ref=perspective_transform,
        fill_value=OneOf([0, 1.5]),
    ),
    case(
        "image.perspective_transform",
        images(),
        _MOVES,
        _MOVES,
        ref=perspective_transform,
        interpolation="nearest",
        min_size=1,
        data_format="channels_last",
    ),
]

REFUSALS: list[Refusal] = [
    *(
        refusal(
            f"image.{name}",
            _VECTOR,
            *args,
            match=f"ops.image.{name}\n.*an image .rank 3",
            **options,
            **_LAST,
        )
        for name, args, options in (
            ("affine_transform", (_TRANSFORM,), {}),
            ("perspective_transform", (_POINTS, _POINTS), {}),
            ("elastic_transform", (), {}),
        )
    ),
    *(
        refusal(
            f"image.{name}", _IMAGE, match=f"ops.image.{name}\n.*{expected}", **options, **_LAST
        )
        for name, expected, options in (
            ("elastic_transform", "interpolation: ", {"interpolation": "bicubic"}),
            ("elastic_transform", "fill_mode: 'constant'", {"fill_mode": "zero"}),
        )
    ),
    *(
        refusal(
            "image.map_coordinates",
            x,
            places,
            *args,
            match=f"ops.image.map_coordinates\n.*{expected}",
        )
        for x, places, args, expected in (
            (_VECTOR, _VECTOR, (1,), "coordinates of rank 2"),
            (_VECTOR, array([[1.0], [1.0]]), (1,), "1 along the first axis"),
            (_VECTOR, array([[1.0]]), (2,), "order: 0 or 1"),
            (_VECTOR, array([[1.0]]), (1, "zero"), "fill_mode: 'constant'"),
        )
    ),
    *(
        refusal(
            "image.affine_transform",
            x,
            transform,
            match=f"ops.image.affine_transform\n.*{e}",
            **options,
        )
        for x, transform, e, options in (
            (_IMAGE, _VECTOR, "transform of shape .8,.", {}),
            (_IMAGE, array(np.ones((2, 8))), "transform of shape .8,.", {}),
            (array(np.ones((2, 2, 2, 3))), array(np.ones((3, 8))), "transform of shape .8,.", {}),
            (_IMAGE, _TRANSFORM, "interpolation: ", {"interpolation": "bicubic"}),
            (_IMAGE, _TRANSFORM, "fill_mode: ", {"fill_mode": "zero"}),
        )
    ),
    refusal(
        "image.perspective_transform",
        _IMAGE,
        _POINTS,
        _VECTOR,
        match="ops.image.perspective_transform\n.*end_points of shape",
    ),
    refusal(
        "image.perspective_transform",
        _IMAGE,
        array(np.ones((3, 4, 2))),
        _POINTS,
        match="ops.image.perspective_transform\n.*start_points of shape",
    ),
]
