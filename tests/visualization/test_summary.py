import html
import io
import re
import runpy
import sys
from pathlib import Path

import pytest

import keras_fn
from keras_fn.visualization.summary import count_bytes, format_bytes

HERE = Path(__file__).parent
ZOO = runpy.run_path(str(HERE / "zoo.py"))
_, *SECTIONS = re.split(r"^(?=== )", (HERE / "tables.txt").read_text("utf-8"), flags=re.MULTILINE)
TABLES = {title: text for title, _, text in (s.partition("\n") for s in SECTIONS)}


def lines(text):
    """Returns the lines without the blanks at their ends, which show nothing."""
    return [line.rstrip() for line in text.rstrip().splitlines()]


def printed(model, **options):
    texts = []
    model.summary(print_fn=texts.append, **options)
    (text,) = texts
    return text


@pytest.fixture(autouse=True)
def terminal(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("case", ZOO["CASES"], ids=lambda case: "-".join(map(str, case)))
def test_tables_equal_the_tables_of_keras(case):
    assert lines(ZOO["table"](keras_fn, *case)) == lines(TABLES[ZOO["title"](*case)])


def test_every_table_of_keras_is_compared():
    assert set(TABLES) == {ZOO["title"](*case) for case in ZOO["CASES"]}


def test_the_terminal_shows_the_same_text_without_control_characters(make, capsys):
    model = make("toy_resnet")
    assert model.summary() is None
    text = capsys.readouterr().out
    assert lines(text) == lines(printed(model))
    assert "\x1b" not in text


def test_a_color_terminal_shows_colors(make, monkeypatch, capsys):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    model = make("chain")
    model.summary()
    text = capsys.readouterr().out
    assert re.search(r"\x1b\[38;5;34m *50,240 *\x1b\[0m", text)
    assert lines(re.sub(r"\x1b\[[0-9;]*m", "", text)) == lines(printed(model))
    assert "\x1b" not in printed(model)


@pytest.mark.parametrize("columns", [1, 20, 45])
def test_a_tiny_terminal_does_not_raise(make, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    assert "Total params: 55,050" in " ".join(printed(make("chain")).split())


def test_a_line_longer_than_the_terminal_is_kept(make):
    text = printed(make("ops"), line_length=200)
    assert {len(line) for line in text.splitlines() if line[0] in "┏┡├└│"} == {200}
    assert "multiply[0][0], y[0][0]" in text


def test_names_are_not_interpreted_as_markup(capsys):
    x = keras_fn.Input((2,), name="[red]x")
    y = keras_fn.layers.Dense(2, name=":smile: [b]")(x)
    model = keras_fn.Model(x, y + x, name="[bold]m")
    text = printed(model, line_length=160)
    assert 'Model: "[bold]m"' in text
    assert ":smile: [b] (Dense)" in text
    assert ":smile: [b][0][0], [red]x[0][0]" in text


def test_a_call_outside_the_model_is_not_shown():
    x, layer = keras_fn.Input((3,)), keras_fn.layers.Dense(4)
    model = keras_fn.Model(x, layer(x))
    before = printed(model)
    layer(keras_fn.Input((7, 3)))
    assert printed(model) == before and "(None, 4)" in before


def test_the_optimizer_counts_once_it_is_built(make):
    model = make("chain")
    model.compile("adam", "mse")
    assert "Optimizer" not in printed(model)
    model.optimizer.build(model.trainable_variables)
    state = sum(v.size for v in model.optimizer.variables)
    text = printed(model)
    assert f" Optimizer params: {state:,} (" in text
    assert f" Total params: {55_050 + state:,} (" in text


def test_memory_depends_on_dtypes():
    layer = keras_fn.layers.Dense(4, dtype="bfloat16")
    layer.build((None, 3))
    assert count_bytes(layer.weights) == 2 * 16
    assert count_bytes([*layer.weights, *layer.weights]) == 2 * 16


@pytest.mark.parametrize(
    "size, text",
    [(0, "0.00 B"), (1023, "1023.00 B"), (1024, "1.00 KB"), (3 * 2**30, "3.00 GB"),
     (2**60, "1024.00 PB")],
)  # fmt: skip
def test_format_bytes(size, text):
    assert format_bytes(size) == text


def test_positions_may_be_in_characters(make):
    model = make("chain")
    by_fraction = printed(model, line_length=100, positions=[0.5, 0.8, 1.0])
    assert printed(model, line_length=100, positions=[50, 80, 100]) == by_fraction


@pytest.mark.parametrize(
    "options, said",
    [
        ({"line_length": 10}, "received: line_length=10"),
        ({"positions": [0.5, 1.0]}, "each of the 3 columns .*\n  received: 2 positions"),
        ({"layer_range": ["dense"]}, "two names"),
        ({"layer_range": "ab"}, "two names"),
        ({"layer_range": ["dense", "missing"]}, "layers of the model\n  received: missing"),
    ],
)
def test_invalid_arguments_raise(make, options, said):
    with pytest.raises(ValueError, match=said):
        printed(make("chain"), **options)


def test_a_layer_whose_shape_fails_shows_a_question_mark():
    class Odd(keras_fn.layers.Layer):
        def call(self, x):
            return x

        def compute_output_shape(self, input_shape):
            raise RuntimeError("no idea")

    class Holder(keras_fn.Model):
        def __init__(self):
            super().__init__()
            self.odd = Odd()

        def call(self, x):
            return self.odd(x)

    model = Holder()
    model(keras_fn.ops.ones((2, 3)))
    assert re.search(r"│ odd \(Odd\) +│ \? ", printed(model))


def test_html_has_the_same_text_and_escapes_names(make):
    for name in ("toy_resnet", "unbuilt", "subclassed"):
        model = make(name)
        text = html.unescape(re.sub(r"<[^>]+>", "", model._repr_html_()))
        width = 108 if name == "toy_resnet" else 88
        assert lines(text) == lines(printed(model, line_length=width))
    x = keras_fn.Input((2,), name="<script>alert(1)<script>")
    markup = keras_fn.Model(x, keras_fn.layers.Dense(2)(x), name="<img src=x>")._repr_html_()
    assert "<script" not in markup and "<img" not in markup
    assert "&lt;img src=x&gt;" in markup


def test_a_notebook_displays_html(make, monkeypatch):
    shown = []
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda segments, text: shown.append(text))
    make("chain").summary()
    assert any("mnist_model" in text for text in shown)
    assert any("dense_2" in text for text in shown)


def test_a_closed_output_is_not_touched_by_print_fn(make, monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert "mnist_model" in printed(make("chain"))
    assert sys.stdout.getvalue() == ""
