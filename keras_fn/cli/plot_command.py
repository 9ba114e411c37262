"""Draws the graph of a model to a picture, or writes it as Mermaid text."""

import argparse
import warnings
from pathlib import Path

from keras_fn import utils
from keras_fn.cli import output
from keras_fn.cli.model_loading import add_model_arguments, load_model, prepare
from keras_fn.cli.output import Fields


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of the command."""
    parser.add_argument("file", help="a file or folder with an architecture")
    parser.add_argument(
        "-o", "--output", metavar="PICTURE",
        help="a .png, .svg or .pdf file; .mmd or .md for Mermaid text. By default FILE.png",
    )  # fmt: skip
    parser.add_argument("--rankdir", default="TB", help="direction of the edges: TB, BT, LR or RL")
    parser.add_argument("--dpi", type=int, default=200, help="resolution of a .png file")
    parser.add_argument("--expand-nested", action="store_true", help="expand models in the model")
    parser.add_argument("--dtype", action="store_true", help="show the dtype of each output")
    parser.add_argument("--activations", action="store_true", help="show activations")
    add_model_arguments(parser)


def execute(arguments: argparse.Namespace) -> int:
    """Runs the command, and returns the exit code."""
    source = Path(arguments.file)
    picture = Path(arguments.output or source.with_suffix(".png"))
    prepare(arguments)
    model = load_model(arguments.file, with_compile=False)
    with warnings.catch_warnings(record=True) as notes:
        warnings.simplefilter("always")
        utils.plot_model(
            model,
            picture,
            show_shapes=True,
            show_layer_names=True,
            show_dtype=arguments.dtype,
            show_layer_activations=arguments.activations,
            expand_nested=arguments.expand_nested,
            rankdir=arguments.rankdir,
            dpi=arguments.dpi,
        )
    fallback = picture.with_suffix(".mmd")
    texts = [str(note.message) for note in notes if str(fallback) in str(note.message)]
    picture = fallback if texts else picture
    if arguments.json:
        result = {"file": arguments.file, "picture": str(picture), "notes": texts}
        output.show_json("plot", result)
    else:
        rows = [("picture", picture), *(("note", text) for text in texts)]
        output.show(Fields("", rows))
    return 0
