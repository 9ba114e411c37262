"""Rows of image layers that change or mix colors. Their factors leave nothing to chance."""

from typing import Any

from layer_cases.case import LayerCase, pixels

IMAGES = pixels(2, 4, 5, 3)
_TRAINING = {"training": True}
_DRAWN = {"training": False}  # rows of layers that draw something in any case
_BORDER = "Keras continues images with zeros: their borders become darker"


def _row(cls: str, arguments: Any, inputs: Any = IMAGES, **more: Any) -> LayerCase:
    """A row of a layer that does the same at each call in training."""
    return LayerCase(cls, arguments, inputs, free=(0, 1, 2), **{"call": _TRAINING, **more})


CASES = [
    _row("RandomBrightness", {"factor": (0.2, 0.2)}),
    _row("RandomBrightness", {"factor": (-0.5, -0.5)}, variant="darker"),
    _row("RandomContrast", {"factor": (0.0, 0.0)}),
    _row("RandomHue", {"factor": (1.0, 1.0)}, refuses=((2, 4, 5, 2), (2, 4, 5, 4))),
    _row("RandomSaturation", {"factor": (0.3, 0.3)}, refuses=((2, 4, 5, 2),)),
    _row("RandomSharpness", {"factor": (0.2, 0.2)}, differs={"values": _BORDER}),
    _row("RandomColorDegeneration", {"factor": (0.4, 0.4)}, refuses=((2, 4, 5, 2),)),
    _row(
        "RandomColorJitter",
        {
            "brightness_factor": (0.1, 0.1), "contrast_factor": (0.0, 0.0),
            "saturation_factor": (0.4, 0.4), "hue_factor": (1.0, 1.0),
        },
        refuses=((2, 4, 5, 2),),
    ),
    _row("RandomGrayscale", {"factor": 1.0}, refuses=((2, 4, 5, 2),)),
    _row("RandomInvert", {"factor": (1.0, 1.0)}),
    _row("RandomPosterization", {"factor": (3, 3)}),
    _row("Solarization", {}),
    LayerCase("AutoContrast", {}, IMAGES, free=(0, 1, 2)),
    LayerCase("Equalization", {}, pixels(1, 4, 5, 3), free=(0, 1, 2)),
    LayerCase(
        "ContrastLimitedAdaptiveHistogramEqualization", {"tile_grid_size": (2, 2)}, IMAGES,
        free=(0, 1, 2), tolerance=1e-4,
    ),
    _row("RandomGaussianBlur", {"factor": (1.0, 1.0), "sigma": (1.0, 1.0)},
         differs={"values": _BORDER}),
    _row("RandomErasing", {"factor": (1.0, 1.0), "scale": (1.0, 1.0), "fill_value": 7.0}),
    _row("CutMix", {}, call=_DRAWN, random=True),
    _row("MixUp", {}, call=_DRAWN, random=True),
    _row("RandAugment", {}, call=_DRAWN, random=True, refuses=((2, 4, 5, 2),)),
    _row("AugMix", {"num_chains": 2}, call=_DRAWN, random=True, refuses=((2, 4, 5, 2),)),
]  # fmt: skip
