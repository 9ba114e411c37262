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
    # Real Keras may be installed beside TensorFlow: it is for the benchmark, not for this test.
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
