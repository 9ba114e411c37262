"""Rows of image layers that move pixels. Factors that are drawn have equal limits."""

from typing import Any

from layer_cases.case import Data, LayerCase, ints, pixels

IMAGES = pixels(2, 4, 6, 3)
_TRAINING = {"training": True}
_DRAWN = {"training": False}
_CROP = "Keras leaves images as they are at inference, though it infers the size of the crop"


def _row(cls: str, arguments: Any, inputs: Any = IMAGES, **more: Any) -> LayerCase:
    """A row of a layer that does the same at each call in training."""
    return LayerCase(cls, arguments, inputs, free=(0, 1, 2), **{"call": _TRAINING, **more})


CASES = [
    _row("RandomFlip", {}, call=_DRAWN, random=True),
    _row("RandomRotation", {"factor": (0.1, 0.1)}),
    _row("RandomRotation", {"factor": (0.3, 0.3), "fill_mode": "constant", "fill_value": 5.0},
         variant="filled"),
    _row("RandomTranslation", {"height_factor": (0.3, 0.3), "width_factor": (-0.2, -0.2)}),
    _row("RandomZoom", {"height_factor": (-0.4, -0.4)}),
    _row("RandomZoom", {"height_factor": (0.2, 0.2), "width_factor": (0.5, 0.5),
                        "interpolation": "nearest"}, variant="out"),
    _row("RandomShear", {"x_factor": (0.1, 0.3), "y_factor": (0.0, 0.1)}, call=_DRAWN,
         random=True),
    _row("RandomPerspective", {"scale": 0.5}, call=_DRAWN, random=True),
    _row("RandomElasticTransform", {"scale": 0.5}, call=_DRAWN, random=True),
    _row("RandomCrop", {"height": 3, "width": 4}, random=True, call=_DRAWN,
         differs={"config": "Keras writes a seed that was drawn", "values": _CROP}),
    LayerCase("CenterCrop", {"height": 3, "width": 4}, IMAGES, free=(0, 1, 2)),
    LayerCase("CenterCrop", {"height": 5, "width": 4}, IMAGES, "resized", free=(0, 1, 2)),
    LayerCase("Resizing", {"height": 5, "width": 3}, IMAGES, free=(0, 1, 2)),
    LayerCase("Resizing", {"height": 5, "width": 5, "pad_to_aspect_ratio": True}, IMAGES, "padded",
              free=(0, 1, 2)),
    LayerCase("Resizing", {"height": 5, "width": 5, "crop_to_aspect_ratio": True}, IMAGES,
              "cropped", free=(0, 1, 2)),
    LayerCase(
        "MaxNumBoundingBoxes",
        {"max_number": 3, "bounding_box_format": "xyxy"},
        {
            "images": IMAGES,
            "bounding_boxes": {"boxes": Data((2, 2, 4), "pixel"), "labels": ints(2, 2)},
        },
        differs={"symbol": "Keras infers floats for integer labels"},
    ),
    LayerCase(
        "Pipeline",
        lambda layers: {"layers": [layers.Rescaling(0.5), layers.Resizing(3, 3)]},
        IMAGES,
        free=(0, 1, 2),
    ),
]  # fmt: skip
