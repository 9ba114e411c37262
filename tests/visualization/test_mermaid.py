import re

import pytest

import keras_fn
from keras_fn.visualization.mermaid import escape_label, model_to_mermaid

_NODE = re.compile(r'^(n\d+)(?:\(\["|\("|\[")([^"]*)(?:"\]\)|"\)|"\]):::(\w+)$')
_EDGE = re.compile(r"^(n\d+) --> (n\d+)$")
_FRAME_COLOR = re.compile(r'^subgraph (g\d+)\["([^"]*)"\]$')
_ENTITY = re.compile(r"#(\d+);")


def parsed(text):
    """Reads a flowchart strictly: (direction, labels of nodes, edges, frames, styles)."""
    first, *rest = text.split("\n")
    labels, styles, edges, frames, depth = {}, {}, [], [], 0
    for line in map(str.strip, rest):
        if node := _NODE.match(line):
            assert node[1] not in labels
            labels[node[1]] = _ENTITY.sub(lambda m: chr(int(m[1])), node[2]).split("<br/>")
            styles[node[1]] = node[3]
        elif edge := _EDGE.match(line):
            edges.append(edge.groups())
        elif frame := _FRAME_COLOR.match(line):
            frames.append(_ENTITY.sub(lambda m: chr(int(m[1])), frame[2]))
            depth += 1
        elif line == "end":
            depth -= 1
        else:
            assert line.startswith("classDef "), line
    assert depth == 0
    assert {key for edge in edges for key in edge} <= set(labels)
    defined = {line.split()[1] for line in rest if line.strip().startswith("classDef")}
    assert defined == set(styles.values())
    named = [(labels[a][0], labels[b][0]) for a, b in edges]
    return first.removeprefix("flowchart "), labels, named, frames, styles


def test_a_chain(make):
    direction, labels, edges, frames, _ = parsed(model_to_mermaid(make("chain")))
    assert direction == "TD" and frames == []
    assert list(labels.values()) == [
        ["input_layer (InputLayer)", "(None, 784)"],
        ["dense (Dense)", "(None, 784) → (None, 64)"],
        ["dense_1 (Dense)", "(None, 64) → (None, 64)"],
        ["dense_2 (Dense)", "(None, 64) → (None, 10)"],
    ]
    assert [b for _, b in edges] == ["dense (Dense)", "dense_1 (Dense)", "dense_2 (Dense)"]


def test_a_skip_is_an_edge_and_equal_shapes_are_joined(make):
    _, labels, edges, _, _ = parsed(model_to_mermaid(make("toy_resnet")))
    into_add = [a for a, b in edges if b == "add (Add)"]
    assert sorted(into_add) == ["conv2d_3 (Conv2D)", "max_pooling2d (MaxPooling2D)"]
    assert ["add (Add)", "2 × (None, 9, 9, 64) → (None, 9, 9, 64)"] in labels.values()


def test_nested_models_expand_to_subgraphs(make):
    model = make("nested")
    assert parsed(model_to_mermaid(model))[3] == []
    _, labels, edges, frames, styles = parsed(
        model_to_mermaid(model, expand_nested=True, show_shapes=False, show_trainable=True)
    )
    assert frames == ["middle", "stack", "frozen"]
    assert ("z (InputLayer)", "y (InputLayer)") in edges
    assert ("deep (Dense)", "last (Dense)") in edges
    deep = next(key for key, label in labels.items() if label[0] == "deep (Dense)")
    assert labels[deep] == ["deep (Dense)", "frozen"] and styles[deep] == "frozen"


def test_details_can_be_chosen(make):
    labels = parsed(
        model_to_mermaid(
            make("chain"), show_shapes=False, show_dtype=True, show_layer_names=False,
            show_layer_activations=True, direction="LR",
        )
    )[1]  # fmt: skip
    assert list(labels.values())[:2] == [["InputLayer", "float32"], ["Dense", "relu", "float32"]]


@pytest.mark.parametrize("name", ["unbuilt", "empty", "stack", "subclassed", "twice", "ops"])
def test_every_model_can_be_written(make, name):
    model = make(name)
    labels = parsed(model_to_mermaid(model))[1]
    assert len(labels) == {"unbuilt": 2, "empty": 1, "stack": 2, "subclassed": 1}.get(
        name, len(getattr(model, "operations", ()))
    )
    assert model._repr_markdown_().startswith("```mermaid\nflowchart TD\n")


@pytest.mark.parametrize(
    "name", ['say "x"', "a;b", "<b>x", "end", "#35;", "`x`", "1. one", "- one", "x-->y", "ß_é]"]
)
def test_names_are_escaped(name):
    x = keras_fn.Input((2,), name=name)
    model = keras_fn.Model(x, keras_fn.layers.Dense(2)(x))
    assert parsed(model_to_mermaid(model))[1]["n0"][0] == f"{name} (InputLayer)"
    text = escape_label(name)
    assert not set(text) & set('"`<>[]{}|&') and not re.match(r"\d+\. |- ", text)


def test_usual_names_stay_readable():
    assert escape_label("block1_conv2 (Conv2D)") == "block1_conv2 (Conv2D)"
    assert escape_label("a.b-c") == "a.b-c"


def test_an_unknown_direction_raises(make):
    with pytest.raises(ValueError, match="'TD' or 'TB' or 'BT' or 'LR' or 'RL'"):
        model_to_mermaid(make("chain"), direction="up")
