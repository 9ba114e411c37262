"""What real Keras builds for each application: names, shapes and counts, as a digest.

`KERAS_BACKEND=torch .nox/parity-torch/bin/python tests/helpers/application_cases.py` notes the
facts; it builds on PyTorch's meta device, which draws nothing. Keras refuses NASNetMobile on
PyTorch: its facts are noted on JAX, with its name as an argument.
"""

import hashlib
import json
import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

FACTS = Path(__file__).parent.parent / "fixtures" / "applications.json"
NAMES = (
    "ConvNeXtTiny", "ConvNeXtSmall", "ConvNeXtBase", "ConvNeXtLarge", "ConvNeXtXLarge",
    "DenseNet121", "DenseNet169", "DenseNet201",
    "EfficientNetB0", "EfficientNetB1", "EfficientNetB2", "EfficientNetB3", "EfficientNetB4",
    "EfficientNetB5", "EfficientNetB6", "EfficientNetB7",
    "EfficientNetV2B0", "EfficientNetV2B1", "EfficientNetV2B2", "EfficientNetV2B3",
    "EfficientNetV2S", "EfficientNetV2M", "EfficientNetV2L",
    "InceptionResNetV2", "InceptionV3",
    "MobileNet", "MobileNetV2", "MobileNetV3Large", "MobileNetV3Small",
    "NASNetLarge", "NASNetMobile",
    "ResNet50", "ResNet101", "ResNet152", "ResNet50V2", "ResNet101V2", "ResNet152V2",
    "VGG16", "VGG19", "Xception",
)  # fmt: skip
# One application of each family, and the smallest: these run at every push.
FAMILIES = (
    "ConvNeXtTiny", "DenseNet121", "EfficientNetB0", "EfficientNetV2B0", "InceptionResNetV2",
    "InceptionV3", "MobileNet", "MobileNetV2", "MobileNetV3Small", "NASNetMobile", "ResNet50",
    "ResNet50V2", "VGG16", "Xception",
)  # fmt: skip
CHANNELS_LAST = ("ConvNeXt", "DenseNet", "NASNet")  # Keras refuses the other data format for these
_SMALL: dict[str, Any] = {"include_top": False, "input_shape": (96, 97, 4), "pooling": "max"}
# Further arguments, for which the facts are noted too.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "MobileNet": [{"alpha": 0.25, "depth_multiplier": 2, "dropout": 0.5, "classes": 7}],
    "MobileNetV2": [
        {"alpha": 0.35, "input_shape": (96, 96, 3)},
        {"alpha": 1.4, "include_top": False},
    ],
    "MobileNetV3Small": [
        {"minimalistic": True, "include_preprocessing": False, "dropout_rate": 0.0},
        {"alpha": 1.25, "input_shape": (65, 64, 3)},
    ],
    "MobileNetV3Large": [{"minimalistic": True}, {"alpha": 0.75, "include_preprocessing": False}],
    "ConvNeXtTiny": [{"include_preprocessing": False, "include_top": False}],
    "EfficientNetV2B0": [{"include_preprocessing": False}],
    "EfficientNetV2S": [{"include_preprocessing": False}],
}
for _name in FAMILIES:
    VARIANTS.setdefault(_name, []).extend([{"include_top": False, "pooling": "avg"}, _SMALL])
    if not _name.startswith(("ConvNeXt", "EfficientNetV2")):  # Keras refuses other names there
        VARIANTS[_name].append({"classes": 5, "classifier_activation": None, "name": "model"})


def cases() -> list[tuple[str, dict[str, Any], str]]:
    """Returns the name of an application, its arguments and the data format of each case."""
    found = [(name, {}, "channels_last") for name in NAMES]
    for name, variants in VARIANTS.items():
        found += [(name, variant, "channels_last") for variant in variants]
    found += [
        (name, {"include_top": False}, "channels_first")
        for name in FAMILIES
        if not name.startswith(CHANNELS_LAST)
    ]
    return found


def case_id(name: str, arguments: dict[str, Any], data_format: str) -> str:
    """Returns the key of a case in the file of facts."""
    listed = ", ".join(f"{key}={value}" for key, value in arguments.items())
    first = ", channels_first" if data_format == "channels_first" else ""
    return f"{name}({listed}){first}"


def table(facts: dict[str, dict[str, Any]]) -> str:
    """Returns the rows of the table in `docs/applications.md`.

    Args:
        facts: What `describe` returns, by the name of the application.
    """
    rows = [
        "| Name | Parameters | Layers | Height and width of an image |",
        "| --- | --: | --: | --- |",
    ]
    for name in NAMES:
        noted = facts[name]
        size = noted["input"][0]
        shape = "any" if size is None else f"{size} x {size}"
        rows.append(f"| `{name}` | {noted['parameters']:,} | {noted['layers']} | {shape} |")
    return "\n".join(rows)


def describe(model: Any) -> dict[str, Any]:
    """Returns what must agree: counts, shapes, and a digest of all names and shapes in order."""
    nodes = [operation.name for operation in model.operations]
    weights = [f"{w.path} {tuple(w.shape)} {w.trainable}" for w in model.weights]
    text = "\n".join(nodes + weights)
    return {
        "name": model.name,
        "parameters": model.count_params(),
        "layers": len(model.layers),
        "weights": len(weights),
        "input": list(model.input_shape[1:]),
        "output": list(model.output_shape[1:]),
        "digest": hashlib.sha256(text.encode()).hexdigest()[:16],
    }


def build(keras: Any, name: str, arguments: dict[str, Any], data_format: str) -> Any:
    """Builds the model of a case without pretrained weights; layers are numbered from the start."""
    keras.utils.clear_session()
    keras.config.set_image_data_format(data_format)
    try:
        return getattr(keras.applications, name)(weights=None, **arguments)
    finally:
        keras.config.set_image_data_format("channels_last")


def write(noted: dict[str, Any]) -> None:
    """Writes the facts, one case a line, in the order of the cases."""
    keys = [case_id(*case) for case in cases()]
    lines = [f"{json.dumps(key)}: {json.dumps(noted[key])}" for key in keys if key in noted]
    FACTS.write_text("{\n" + ",\n".join(lines) + "\n}\n", "utf-8")


def main() -> None:
    """Notes the facts of the applications that are named, or of all, with real Keras."""
    import keras

    noted = json.loads(FACTS.read_text("utf-8")) if FACTS.exists() else {}
    on_torch = keras.config.backend() == "torch"
    with keras.device("meta") if on_torch else nullcontext():
        for case in cases():
            if case[0] in (sys.argv[1:] or NAMES) and not (on_torch and case[0] == "NASNetMobile"):
                noted[case_id(*case)] = describe(build(keras, *case))
    write(noted)


if __name__ == "__main__":
    main()
