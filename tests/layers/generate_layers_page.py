"""Writes docs/layers.md, the list of all layers: `python tests/layers/generate_layers_page.py`."""

import doctest
import inspect
import statistics
from collections import Counter
from pathlib import Path

from keras_fn import layers

PAGE = Path(__file__).parents[2] / "docs" / "layers.md"
HEAD = """# Layers

Every layer of `keras_fn.layers`, by group, with the example in its docstring, which the tests run.
The names that the examples use are those of a program that begins with

```python
import numpy as np

import keras_fn as keras
from keras_fn import ops
from keras_fn.ops import *  # noqa: F403
```

The arguments that all layers take (`name`, `dtype`, `trainable` and others) are described by
`help(keras.layers.Layer)`, the arguments of a layer by `help` of its class.

{count} layers. The median file of a layer, or of a family such as `Conv1D` to `Conv3D`, has
{median} lines, the largest {largest} (`{name}`), docstrings included.
"""
GROUPS = {
    "core": "Core",
    "attention": "Attention",
    "convolutional": "Convolution",
    "pooling": "Pooling",
    "rnn": "Recurrent layers",
    "normalization": "Normalization",
    "regularization": "Regularization",
    "activations": "Activations",
    "reshaping": "Reshaping",
    "merging": "Merging",
    "preprocessing": "Preprocessing: numbers, categories, text, audio",
    "preprocessing.image": "Preprocessing and augmentation of images",
    "interop": "Modules of the frameworks",
}
"""The title of each folder of `keras_fn.layers`, in reading order."""


def list_layers_by_group() -> dict[str, list[type]]:
    """Returns the public layers of each folder, sorted by name; those at the top are `core`."""
    found: dict[str, list[type]] = {}
    values = [getattr(layers, name) for name in dir(layers)]
    classes = {x for x in values if isinstance(x, type) and issubclass(x, layers.Layer)}
    for cls in sorted(classes, key=lambda cls: cls.__name__):
        folder = cls.__module__.removeprefix("keras_fn.layers.").rpartition(".")[0]
        found.setdefault(folder or "core", []).append(cls)
    return found


def count_lines(classes: list[type]) -> Counter[str]:
    """Returns the lines of the files in which layers are defined."""
    paths = {inspect.getsourcefile(cls) for cls in classes}
    return Counter(
        {
            Path(path).name: len(Path(path).read_text("utf-8").splitlines())
            for path in paths
            if path is not None
        }
    )


def render_layer(cls: type) -> str:
    """Returns the section of a layer: its other names, first paragraph and example."""
    text = inspect.getdoc(cls) or ""
    summary = " ".join(text.partition("\n\n")[0].split())
    names = [n for n in dir(layers) if getattr(layers, n) is cls and n != cls.__name__]
    also = f" Also `{'`, `'.join(names)}`." if names else ""
    lines = []
    for example in doctest.DocTestParser().get_examples(text):
        first, *rest = example.source.rstrip("\n").split("\n")
        lines += [f">>> {first}", *(f"... {line}".rstrip() for line in rest)]
        lines += example.want.rstrip("\n").split("\n") if example.want else []
    block = "\n".join(lines)
    return f"\n### {cls.__name__}\n\n{summary}{also}\n\n```pycon\n{block}\n```\n"


def render_page() -> str:
    """Returns the page. Every folder must have a title."""
    groups = list_layers_by_group()
    everything = [cls for classes in groups.values() for cls in classes]
    lines = count_lines(everything)
    (name, largest), *_ = lines.most_common(1)
    median = int(statistics.median(lines.values()))
    parts = [HEAD.format(count=len(everything), median=median, largest=largest, name=name)]
    for folder in sorted(groups, key=list(GROUPS).index):
        parts.append(f"\n## {GROUPS[folder]}\n")
        parts += map(render_layer, groups[folder])
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(render_page(), "utf-8")
