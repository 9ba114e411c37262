"""The Functional API guide of TensorFlow 2.0 (2019), whose layers call the framework itself."""

import re

from programs import FOLDER, Run, old_tables, rows, run, tables, totals
from programs.frameworks import framework
from programs.guide import PICTURES, check_features


def test_every_program_of_the_guide_runs_and_prints_what_the_guide_shows(workplace, vgg19_weights):
    losses: dict[str, list[float]] = {}

    def watch(cell: str, done: Run) -> None:
        if "model.fit(" in cell:
            model = done.names["model"]
            losses[model.name] = model.history.history["loss"]

    done = run("guide_2019", watch, framework=framework())
    expected = (FOLDER / "guide_2019.txt").read_text("utf-8")
    check_totals(done.text, expected)
    ours = [[(r[0], r[1], int(r[2].replace(",", ""))) for r in rows(t)] for t in tables(done.text)]
    for mine, theirs in zip(ours, old_tables(expected), strict=True):
        for (name, shape, count), (kind, *other) in zip(mine, theirs, strict=True):
            assert [shape, count] == other
            assert f"({kind}"[:7] in name or (kind == "Model" and "(Functional" in name)
    assert losses["mnist_model"][-1] < losses["mnist_model"][0]
    ticket = next(v for k, v in losses.items() if k.startswith("functional"))
    assert ticket[-1] < ticket[0]
    check_features(done.names)
    for picture in PICTURES:
        assert (workplace / picture).stat().st_size > 2000, picture


def check_totals(printed: str, expected: str) -> None:
    assert [t.split(" ")[0] for t, _ in totals(printed)] == re.findall(
        r"Total params: ([\d,]+)", expected
    )
