import builtins
import importlib.util
import shutil
import struct
import sys
import types
import warnings
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import keras_fn
from keras_fn.visualization import dot
from keras_fn.visualization.plot import model_to_dot, plot_model

HAS_PYDOT = importlib.util.find_spec("pydot") is not None
NAMES = ("chain", "toy_resnet", "ticket", "shared", "twice", "nested", "ops", "stack", "called")
ALL = {
    "show_shapes": True, "show_dtype": True, "show_layer_names": True, "expand_nested": True,
    "show_layer_activations": True, "show_trainable": True,
}  # fmt: skip

needs_pydot = pytest.mark.skipif(not HAS_PYDOT, reason="pydot is not installed")
needs_dot = pytest.mark.skipif(
    not (HAS_PYDOT and shutil.which("dot")), reason="pydot or Graphviz's dot is not installed"
)


@pytest.fixture
def without(monkeypatch):
    """Returns a function that makes packages, or the program dot, seem to be absent."""

    def hide(*names):
        if "dot" in names:
            monkeypatch.setenv("PATH", "")
        for name in names:
            for module in [m for m in sys.modules if m.split(".")[0] == name]:
                monkeypatch.delitem(sys.modules, module)
        real = builtins.__import__

        def refuse(name, *args, **kwargs):
            if name.split(".")[0] in names:
                raise ImportError(f"No module named {name!r}")
            return real(name, *args, **kwargs)

        monkeypatch.setattr(builtins, "__import__", refuse)

    return hide


def png_size(path):
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", data[16:24])


def svg_texts(path):
    root = ElementTree.parse(path).getroot()
    return [
        "".join(e.itertext()).replace("\xa0", " ") for e in root.iter() if e.tag.endswith("}text")
    ]


# -------------------------------------------------------------------- through matplotlib


@pytest.fixture
def matplotlib_only(without):
    pytest.importorskip("matplotlib")
    without("pydot", "dot")


@pytest.mark.parametrize("name", NAMES)
def test_matplotlib_renders_every_model(make, tmp_path, matplotlib_only, name):
    model = make(name)
    assert plot_model(model, tmp_path / "m.svg", **ALL) is None
    texts = svg_texts(tmp_path / "m.svg")
    layers = model.layers if name in ("stack", "nested") else getattr(model, "operations", [model])
    for layer in layers:
        assert layer.name in texts
    assert any("(None" in t or "(2" in t for t in texts) or name == "called"


def test_a_png_has_ink_and_grows_with_dpi(make, tmp_path, matplotlib_only):
    from matplotlib.image import imread

    model = make("toy_resnet")
    plot_model(model, tmp_path / "a.png", show_shapes=True, dpi=50)
    plot_model(model, str(tmp_path / "b.png"), show_shapes=True, dpi=100)
    (width, height), larger = png_size(tmp_path / "a.png"), png_size(tmp_path / "b.png")
    assert height > 3 * width
    np.testing.assert_allclose(larger, (2 * width, 2 * height), atol=2)
    ink = (imread(tmp_path / "b.png")[..., :3] < 0.5).all(-1).mean()
    assert 0.01 < ink < 0.5


def test_no_extension_means_png(make, tmp_path, matplotlib_only):
    plot_model(make("chain"), tmp_path / "model", dpi=40)
    assert min(png_size(tmp_path / "model")) > 20


@pytest.mark.parametrize(
    "format, start", [("pdf", b"%PDF"), ("svg", b"<?xml"), ("PNG", b"\x89PNG")]
)
def test_formats(make, tmp_path, matplotlib_only, format, start):
    path = tmp_path / f"m.{format}"
    plot_model(make("chain"), path)
    assert path.read_bytes().startswith(start)


def test_directions_turn_the_image(make, tmp_path, matplotlib_only):
    sizes = {}
    for rankdir in ("TB", "BT", "LR", "RL"):
        plot_model(make("chain"), tmp_path / "m.png", rankdir=rankdir, dpi=40)
        sizes[rankdir] = png_size(tmp_path / "m.png")
    assert sizes["TB"] == sizes["BT"] and sizes["LR"] == sizes["RL"]
    assert sizes["TB"][0] < sizes["TB"][1] and sizes["LR"][0] > sizes["LR"][1]


def test_splines_are_drawn_as_requested(make, tmp_path, matplotlib_only):
    pictures, model = set(), make("ticket")
    for splines in ("ortho", "curved", "line"):
        plot_model(model, tmp_path / "m.svg", splines=splines)
        pictures.add((tmp_path / "m.svg").read_bytes())
    assert len(pictures) == 3


def test_the_same_model_gives_the_same_file(make, tmp_path, matplotlib_only):
    for name in ("a.svg", "b.svg"):
        plot_model(make("nested"), tmp_path / name, expand_nested=True)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_names_are_not_interpreted_as_formulas_or_markup(tmp_path, matplotlib_only):
    x = keras_fn.Input((2,), name="$x_1$ <b>")
    model = keras_fn.Model(x, keras_fn.layers.Dense(2, name="名前 \U0001f600")(x))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plot_model(model, tmp_path / "m.svg", show_layer_names=True)
        plot_model(model, tmp_path / "m.png", show_layer_names=True, dpi=40)
    assert {"$x_1$ <b>", "名前 \U0001f600"} <= set(svg_texts(tmp_path / "m.svg"))


def test_plotting_does_not_change_the_state_of_matplotlib(make, tmp_path, matplotlib_only):
    import matplotlib

    def settings():
        return {key: value for key, value in matplotlib.rcParams.items() if key != "backend"}

    before = settings()
    plot_model(make("chain"), tmp_path / "m.svg")
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )
    assert settings() == before


# -------------------------------------------------------------------- as text


def test_text_is_written_without_a_renderer(make, tmp_path, without):
    without("pydot", "matplotlib")
    with pytest.warns(UserWarning, match=r"pip install 'keras-fn\[plot\]'") as caught:
        plot_model(make("chain"), tmp_path / "m.png", show_layer_names=True)
    assert len(caught) == 1 and caught[0].filename == __file__
    assert [p.name for p in tmp_path.iterdir()] == ["m.mmd"]
    text = (tmp_path / "m.mmd").read_text("utf-8")
    assert text.startswith("flowchart TB\n") and "dense_2 (Dense)" in text


def test_mermaid_files_need_no_renderer(make, tmp_path, without):
    without("pydot", "matplotlib")
    plot_model(make("ticket"), tmp_path / "m.mmd", show_shapes=True, rankdir="LR")
    plot_model(make("ticket"), tmp_path / "m.md", show_shapes=True, rankdir="LR")
    text = (tmp_path / "m.mmd").read_text("utf-8")
    assert text.startswith("flowchart LR\n")
    assert (tmp_path / "m.md").read_text("utf-8") == f"```mermaid\n{text}```\n"


def test_an_unsupported_format_becomes_text(make, tmp_path):
    with pytest.warns(UserWarning, match="Mermaid"):
        plot_model(make("chain"), tmp_path / "m.xyz")
    assert (tmp_path / "m.mmd").exists() and not (tmp_path / "m.xyz").exists()


def test_a_missing_folder_is_created(make, tmp_path):
    plot_model(make("chain"), tmp_path / "new" / "inner" / "m.mmd")
    assert (tmp_path / "new" / "inner" / "m.mmd").exists()


def test_unbuilt_models_and_unknown_arguments_raise(make, tmp_path):
    with pytest.raises(ValueError, match="not built"):
        plot_model(make("unbuilt"), tmp_path / "m.png")
    with pytest.raises(ValueError, match="layer_range"):
        plot_model(make("chain"), tmp_path / "m.png", layer_range=["a", "b"])
    with pytest.raises(ValueError, match="rankdir"):
        plot_model(make("chain"), tmp_path / "m.png", rankdir="UP")
    assert not list(tmp_path.iterdir())


def test_a_notebook_displays_the_image(make, tmp_path, monkeypatch):
    ipython = types.SimpleNamespace(
        get_ipython=object,
        display=types.SimpleNamespace(
            Image=lambda filename: ("image", filename),
            SVG=lambda filename: ("svg", filename),
            Markdown=lambda text: ("markdown", text),
        ),
    )
    monkeypatch.setitem(sys.modules, "IPython", ipython)
    shown = plot_model(make("chain"), tmp_path / "m.mmd")
    assert shown[0] == "markdown" and shown[1].startswith("```mermaid\n")
    pytest.importorskip("matplotlib")
    path = tmp_path / "m.png"
    assert plot_model(make("chain"), path, dpi=40) == ("image", str(path))
    assert plot_model(make("chain"), tmp_path / "m.pdf") is None


# -------------------------------------------------------------------- through Graphviz


def edges_of(graph):
    """Returns the edges of a pydot graph by the first line of the nodes' labels."""
    labels, edges, graphs = {}, [], [graph]
    while graphs:
        inner = graphs.pop()
        graphs += inner.get_subgraphs()
        edges += inner.get_edges()
        for node in inner.get_nodes():
            if node.get_name() not in ("node", "edge"):
                table = ElementTree.fromstring(node.get_label()[1:-1])
                labels[node.get_name()] = "".join(table[0].itertext())
    return {(labels[e.get_source()], labels[e.get_destination()]) for e in edges}


@needs_pydot
def test_dot_has_the_nodes_and_edges_of_the_model(make):
    graph = model_to_dot(make("toy_resnet"))
    edges = edges_of(graph)
    assert ("max_pooling2d (MaxPooling2D)", "add (Add)") in edges and len(edges) == 12
    assert graph.get_rankdir() == "TB" and graph.get_splines() == "ortho"


@needs_pydot
def test_dot_labels_show_the_requested_details(make):
    graph = model_to_dot(make("mixed"), **ALL)
    table = ElementTree.fromstring(graph.get_nodes()[-1].get_label()[1:-1])
    cells = ["".join(cell.itertext()) for cell in table.iter("td")]
    assert cells == [
        "dense_1 (Dense)", "Activation: linear", "Input shape: (None, 4)",
        "Output shape: (None, 300000)", "Output dtype: bfloat16", "Non-trainable",
    ]  # fmt: skip


@needs_pydot
def test_nested_models_become_clusters(make):
    model = make("nested")
    assert ("z (InputLayer)", "middle (Functional)") in edges_of(model_to_dot(model))
    graph = model_to_dot(model, expand_nested=True)
    assert {("z (InputLayer)", "y (InputLayer)"), ("deep (Dense)", "last (Dense)")} < edges_of(
        graph
    )
    (middle,) = graph.get_subgraphs()
    assert sorted(g.get_label() for g in middle.get_subgraphs()) == ["frozen", "stack"]
    cluster = model_to_dot(model, subgraph=True)
    assert type(cluster).__name__ == "Cluster" and cluster.get_label() == "outer"


def test_model_to_dot_says_what_to_install(make, without):
    without("pydot")
    with pytest.raises(ImportError, match=r"pip install 'keras-fn\[plot\]'"):
        model_to_dot(make("chain"))


@needs_dot
@pytest.mark.parametrize("name", NAMES)
def test_graphviz_renders_every_model(make, tmp_path, name, monkeypatch):
    monkeypatch.setattr("keras_fn.visualization.matplotlib_renderer.draw", None)  # no way out
    model = make(name)
    plot_model(model, tmp_path / "m.svg", **ALL)
    assert model.layers[-1].name in "\n".join(svg_texts(tmp_path / "m.svg")) or name == "called"


@needs_dot
def test_graphviz_accepts_any_name(tmp_path, monkeypatch):
    monkeypatch.setattr("keras_fn.visualization.matplotlib_renderer.draw", None)
    x = keras_fn.Input((2,), name="<b>&\"'")
    inner = keras_fn.Model(x, keras_fn.layers.Dense(2)(x), name="<b> \"&' 名")
    y = keras_fn.Input((2,), name="node")
    model = keras_fn.Model(y, inner(y))
    plot_model(model, tmp_path / "m.svg", show_layer_names=True, expand_nested=True)
    texts = svg_texts(tmp_path / "m.svg")
    assert "<b> \"&' 名" in texts and any("<b>&\"'" in text for text in texts)


@needs_pydot
def test_right_angles_that_crash_graphviz_become_straight_lines(make, tmp_path, monkeypatch):
    asked = []

    def render(graph, format):
        asked.append(graph.get_splines())
        if graph.get_splines() == "ortho":
            raise OSError("`dot` ended with -11: no picture")
        return b"picture"

    monkeypatch.setattr(dot, "render", render)
    plot_model(make("chain"), tmp_path / "m.png")
    assert asked == ["ortho", "polyline"] and (tmp_path / "m.png").read_bytes() == b"picture"


@needs_pydot
def test_a_graphviz_that_fails_or_hangs_is_skipped(make, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    program = tmp_path / "bin" / "dot"
    program.parent.mkdir()
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    for number, body in enumerate(("exit 3", "exec sleep 30")):
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)
        monkeypatch.setattr(dot, "TIMEOUT_SECONDS", 0.3)
        plot_model(make("chain"), tmp_path / f"{number}.png", dpi=40)
        assert min(png_size(tmp_path / f"{number}.png")) > 20
