"""The benchmark programs run, measure the same models, and write their tables."""

import importlib
import importlib.util
import math
import sys
from functools import partial
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


@pytest.mark.parametrize(
    "name", ["mlp", "resnet", "convolutions", "ticket", "transformer", "resnet50"]
)
def test_our_model_has_as_many_weights_as_the_native_one(name, jobs, sides):
    model = getattr(importlib.import_module("models"), name)(keras_fn)
    assert model.count_params() == sides["native"].parameters(name)


def test_a_table_of_a_page_keeps_the_rows_that_were_not_measured(jobs, tmp_path):
    tables = importlib.import_module("tables")
    page, head = tmp_path / "page.md", tables.column_names(["ours", "native"])
    page.write_text("before\n<!-- speed -->\n<!-- /speed -->\nafter\n")
    for values in ({"a": 2e-3, "b": 3.0}, {"b": 4.0}):
        rows = [tables.Row(name, {"ours": v, "native": 2e-3}) for name, v in values.items()]
        formatted = [tables.format_row(row, ["ours", "native"]) for row in rows]
        tables.write(page, "speed", head, formatted)
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


def test_a_row_without_keras_leaves_its_cells_empty(jobs):
    tables = importlib.import_module("tables")
    sides = ["ours", "native", "keras"]
    row = tables.Row("a", {"native": 1e-3, "ours": 2e-3}, "1.10")
    assert dict(zip(tables.column_names(sides), tables.format_row(row, sides), strict=True)) == {
        "work": "a",
        "native": "1.0 ms",
        "ours": "2.0 ms",
        "keras": "",
        "ours / native": "2.00",
        "keras / native": "",
        "target": "1.10",
    }


@pytest.fixture
def program(jobs):
    """The program itself: `__main__` of the folder."""
    spec = importlib.util.spec_from_file_location("benchmark_program", FOLDER / "__main__.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FLAGS = {
    "": ["speed"],
    "--only mlp": ["speed"],
    "--speed": ["speed"],
    "--memory": ["memory"],
    "--startup": ["startup"],
    "--inference": ["inference"],
    "--growth": ["depth", "batch"],
    "--ops": ["ops"],
    "--files 1": ["files"],
    "--memory --startup": ["memory", "startup"],
    "--markdown": ["speed", "memory", "startup", "inference", "depth", "batch"],
    "--markdown --memory": ["memory"],
    "--markdown --only mlp": ["speed"],
}


@pytest.mark.parametrize("flags", FLAGS)
def test_a_flag_chooses_the_tables_and_the_page_shows_them(flags, program, monkeypatch, tmp_path):
    page = tmp_path / "page.md"
    arguments = flags.replace("--markdown", f"--markdown {page}").split()
    monkeypatch.setattr(sys, "argv", ["benchmarks", *arguments])
    ran = []

    def table(name, options):
        ran.append(name)
        return ["work", "ours"], [["a", str(options.rounds)]]

    monkeypatch.setattr(
        program, "SECTIONS", {name: partial(table, name) for name in program.SECTIONS}
    )
    program.main()
    assert ran == FLAGS[flags]
    shown = page.read_text() if page.exists() else ""
    assert [name for name in ran if f"<!-- {name} on {backend()} -->" in shown] == (
        ran if "--markdown" in flags else []
    )


def test_every_table_is_made_by_one_flag(program):
    chosen = [name for names in program.FLAGS.values() for name in names]
    assert sorted([*chosen, "files"]) == sorted(program.SECTIONS)
    assert set(program.PAGE) <= set(program.SECTIONS)


@pytest.fixture
def gpu(jobs):
    return importlib.import_module("gpu")


def test_without_a_gpu_its_check_says_so_and_ends_well(gpu, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu.py"])
    monkeypatch.setattr(gpu, "find_device", lambda wanted: None)
    assert gpu.main() == 0
    assert "No GPU" in capsys.readouterr().out


def test_a_failed_check_of_a_gpu_is_its_exit_status(gpu, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["gpu.py", "--device", "cpu", "--parts", "ops"])
    monkeypatch.setattr(gpu, "_TOLERANCE", 0.0)
    monkeypatch.setattr(gpu, "OPS", {k: gpu.OPS[k] for k in ("elementwise", "searching")})
    assert gpu.main() == 1
    out = capsys.readouterr().out
    assert "| elementwise |" in out
    assert "FAILED: ['ops']" in out


def test_the_checks_of_a_gpu_succeed_on_the_cpu(gpu, monkeypatch):
    monkeypatch.setattr(gpu, "_SPEED", ())
    monkeypatch.setattr(gpu, "POLICIES", {"mixed_float16": "float16"})
    device = "gpu" if gpu.find_device("gpu") else "cpu"
    for name in ("ops", "fit", "placement"):
        rows = list(gpu.PARTS[name](keras_fn, device))
        assert rows
        assert [row for row, ok in rows if not ok] == []


def test_start_up_is_measured_in_a_separate_process(jobs):
    startup = importlib.import_module("startup")
    (seconds, unit), (peak, unit_of_peak) = startup.rows(["native"], 1, ["mlp"])
    assert (unit, unit_of_peak) == ("s", "MB")
    assert seconds.values["native"] > 0.05
    assert peak.values["native"] > 20


def test_growth_has_rows_for_depth_and_batches(jobs, monkeypatch):
    growth, memory = importlib.import_module("growth"), importlib.import_module("memory")
    depth = growth.measure_depth(2)
    assert list(depth) == [
        "build", "save", "load", "first predict", "warm predict", "first step of fit",
        "warm step of fit",
    ]  # fmt: skip
    assert all(seconds > 0 and megabytes >= 0 for seconds, megabytes in depth.values())
    assert len(growth.measure_batch(1)) == 2
    monkeypatch.setattr(memory, "run_child", lambda file, kind, size: {"a": (size**2.0, size)})
    rows = list(growth.rows("depth", (10, 100, 1000)))
    assert [(name, exponent) for name, *_, exponent, _ in rows] == [
        ("a", "2.00"),
        ("a, memory", "1.00"),
    ]
    assert len(growth.head("depth")) == len(growth.SIZES["depth"]) + 3
    assert growth._exponent((400, 1600), (9.0, 0.0), 8) == ""


def test_memory_is_measured_in_a_separate_process(jobs):
    memory = importlib.import_module("memory")
    rows = memory.rows(["native"], cycles=4, peaks=())
    assert [row.values["native"] > 20 for row in rows] == [True, True]
    assert memory.growth(rows)[0] == "growth between them"
