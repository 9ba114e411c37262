"""What the two forms of the Keras 3 guide must print, draw and learn."""

from pathlib import Path
from typing import Any

import numpy as np

from programs import Run, rows, run, tables, totals

PICTURES = (
    "my_first_model.png", "my_first_model_with_shape_info.png",
    "multi_input_and_output_model.png", "mini_resnet.png",
)  # fmt: skip


def check_guide(name: str, expected: str, workplace: Path) -> None:
    """Runs the guide; compares its tables and totals with those that the guide shows."""
    losses: dict[str, list[float]] = {}

    def watch(cell: str, done: Run) -> None:
        model = done.names.get("model")
        if "model.fit(" in cell:
            losses[model.name] = model.history.history["loss"]
        if cell.startswith("inputs.shape"):
            assert done.names["inputs"].shape == (None, 784)
        if cell.startswith("inputs.dtype"):
            assert done.names["inputs"].dtype == "float32"
        if "load_model" in cell:
            assert model.name == "mnist_model" and model.count_params() == 55_050

    done = run(name, watch)
    check_tables(done.text, expected)
    check_learning(done, losses)
    check_features(done.names)
    assert "1, 10, 32" in done.text  # the recurrent layer of one's own; a torch.Size on PyTorch
    for picture in PICTURES:
        assert (workplace / picture).stat().st_size > 2000, picture
    assert done.names["new_model"].get_config() == done.names["config"]


def check_tables(printed: str, expected: str) -> None:
    """Every table of the guide is printed, in its order: layers, shapes, parameters, sources."""
    assert totals(printed) == totals(expected)
    for ours, theirs in zip(tables(printed), tables(expected), strict=True):
        assert [r[1:3] for r in rows(ours)] == [r[1:3] for r in rows(theirs)]
        for mine, other in zip(rows(ours), rows(theirs), strict=True):
            name, kind = other[0].split(" (", 1) if " (" in other[0] else (other[0], "")
            assert mine[0].startswith(name[:12]), (mine, other)
            assert f"({kind}"[:8] in mine[0], (mine, other)
            if len(other) == 4:
                assert [s[:8] for s in mine[3].split(", ")] == [s[:8] for s in other[3].split(", ")]


def check_learning(done: Run, losses: dict[str, list[float]]) -> None:
    """Training lowers the loss."""
    digits = losses["mnist_model"]
    assert digits[-1] < digits[0] < 2.3
    assert done.names["test_scores"][1] > 0.9
    ticket = next(v for k, v in losses.items() if k.startswith("functional"))
    assert ticket[-1] < ticket[0]
    assert np.isfinite(losses["toy_resnet"]).all()


def check_features(names: dict[str, Any]) -> None:
    """The feature extractor returns the output of each layer of VGG19."""
    features, vgg19 = names["extracted_features"], names["vgg19"]
    assert len(features) == len(vgg19.layers) == 26
    for feature, layer in zip(features, vgg19.layers, strict=True):
        assert tuple(feature.shape) == (1, *layer.output.shape[1:])
    assert vgg19.count_params() == 143_667_240
