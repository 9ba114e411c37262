""" "How to Use the Keras Functional API for Deep Learning" (2017): its listings."""

import re

import numpy as np
from programs import FOLDER, Run, old_tables, rows, run, tables, totals


def test_every_listing_runs_and_prints_what_the_tutorial_shows(workplace):
    models = []

    def watch(cell: str, done: Run) -> None:
        if "Model(" in cell or "Sequential(" in cell:
            models.append(done.names["model"])

    done = run("tutorial_2017", watch)
    expected = (FOLDER / "tutorial_2017.txt").read_text("utf-8")
    numbers = re.findall(r"Total params: ([\d,]+)", expected)
    assert [t.split(" ")[0] for t, _ in totals(done.text)] == numbers
    for ours, theirs in zip(tables(done.text), old_tables(expected), strict=True):
        mine = sorted((r[1], int(r[2].replace(",", ""))) for r in rows(ours))
        assert mine == sorted((shape, count) for _, shape, count in theirs)
    assert len(list(workplace.glob("*.png"))) == 7
    for model in models:
        check_training(model)


def check_training(model) -> None:
    """A few steps on random data lower the loss of every model of the tutorial."""
    random = np.random.default_rng(0)
    if not hasattr(model, "inputs"):
        return
    x = [random.random((16, *t.shape[1:]), dtype="float32") for t in model.inputs]
    y = [random.random((16, *t.shape[1:]), dtype="float32") for t in model.outputs]
    model.compile("sgd", "mse")
    history = model.fit(x, y, epochs=4, batch_size=8, shuffle=False, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
