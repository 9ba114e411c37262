"""The benchmark programs run, measure the same models, and write their tables."""

import importlib
import math
import sys
from pathlib import Path

import pytest

import keras_fn
from keras_fn.config import backend

FOLDER = Path(__file__).parent / "benchmarks"


@pytest.fixture
def jobs(monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", backend())
    monkeypatch.syspath_prepend(str(FOLDER))
    # TensorFlow may have installed real Keras: it is for the benchmark, not for this test.
    monkeypatch.setitem(sys.modules, "keras", None)
    return importlib.import_module("jobs")


@pytest.fixture
def sides(jobs):
    native = importlib.import_module(f"native_{backend()}")
    return {"ours": keras_fn, "native": native}


def fits(jobs):
    return [fit._replace(steps=1, batch=2, epochs=1).job() for fit in jobs.FITS.values()]


def small(jobs):
    return [
        *fits(jobs),
        jobs.forward(1, calls=2),
        jobs.predict(8, 8, 2),
        jobs.predict(12, 4, 2),
        jobs.build(2),
        jobs.build(2, read=True),
        jobs.read("resnet50", "ResNet50"),
    ]


def test_every_job_runs_on_both_sides(jobs, sides):
    for job in small(jobs):
        times = jobs.measure(job, sides, 1, warm_up=0)
        assert times.keys() == sides.keys(), job.title
        assert all(0 < seconds < math.inf for seconds in times.values()), job.title


@pytest.mark.parametrize("name", ["mlp", "resnet", "ticket", "transformer", "resnet50"])
def test_our_model_has_as_many_weights_as_the_native_one(name, jobs, sides):
    model = getattr(importlib.import_module("models"), name)(keras_fn)
    assert model.count_params() == sides["native"].parameters(name)


def test_a_table_of_a_page_keeps_the_rows_that_were_not_measured(jobs, tmp_path):
    tables = importlib.import_module("tables")
    page, head = tmp_path / "page.md", tables.column_names(["ours", "native"])
    page.write_text("before\n<!-- speed -->\n<!-- /speed -->\nafter\n")
    for values in ({"a": 2e-3, "b": 3.0}, {"b": 4.0}):
        rows = [tables.Row(name, {"ours": v, "native": 2e-3}) for name, v in values.items()]
        tables.write(page, "speed", head, [tables.format_row(row) for row in rows])
    assert page.read_text().splitlines() == [
        "before",
        "<!-- speed -->",
        "| work | native | ours | ours / native | target |",
        "| --- | --: | --: | --: | --: |",
        "| a | 2.0 ms | 2.0 ms | 1.00 |  |",
        "| b | 2.0 ms | 4.00 s | 2000.00 |  |",
        "<!-- /speed -->",
        "after",
    ]


def test_memory_is_measured_in_a_separate_process(jobs):
    memory = importlib.import_module("memory")
    rows = memory.rows(["native"], cycles=4, peaks=())
    assert [row.values["native"] > 20 for row in rows] == [True, True]
    assert memory.growth(rows)[0] == "growth between them"
