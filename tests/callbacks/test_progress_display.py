"""The display, on consoles that are a terminal and consoles that are none."""

import io
import itertools
import re

import numpy as np
import pytest

from keras_fn import ops
from keras_fn.callbacks import progress_display
from keras_fn.callbacks.callback_list import CallbackList
from keras_fn.callbacks.progbar_logger import ProgbarLogger
from keras_fn.callbacks.progress_display import EpochDisplay, Progbar, ProgressLine
from keras_fn.settings import settings

rich_console = pytest.importorskip("rich.console")
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


def console(tty: bool, width: int = 120):
    return rich_console.Console(
        file=io.StringIO(), force_terminal=tty, force_jupyter=False, width=width, highlight=False
    )


def written(target) -> str:
    return target.file.getvalue()


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress_display.time, "perf_counter", clock)
    return clock


def run(target, clock, steps=750, seconds=0.001, total=750, verbose=1, read=None, **options):
    display = EpochDisplay(
        total, options.pop("epoch", 0), options.pop("epochs", 2), verbose, read or dict, target
    )
    with display:
        for _ in range(steps):
            clock.now += seconds
            display.advance()
        display.finish({"accuracy": 0.84251, "loss": 0.57329, "val_loss": 1.7e-4})
    return display


def test_a_terminal_ends_with_the_line_of_the_epoch(clock):
    target = console(tty=True)
    run(target, clock)
    last = written(target)
    assert "Epoch 1/2" in last
    bar = "━" * 20
    expected = f"750/750 {bar} 0s 1ms/step - accuracy: 0.8425 - loss: 0.5733 - val_loss: 1.7000e-04"
    assert expected in last


def test_a_log_file_has_one_plain_line_per_epoch(clock):
    target = console(tty=False, width=40)
    run(target, clock)
    text = written(target)
    assert not CONTROL.search(text)
    assert text.splitlines() == [
        "Epoch 1/2",
        "750/750 - 0s - 1ms/step - accuracy: 0.8425 - loss: 0.5733 - val_loss: 1.7000e-04",
    ]


def test_verbose_2_is_plain_on_a_terminal_too(clock):
    target = console(tty=True)
    run(target, clock, verbose=2)
    assert written(target).count("\n") == 2
    assert "━" not in written(target)
    assert "\x1b" not in written(target)


def test_verbose_0_shows_nothing_and_reads_nothing(clock):
    def read():
        raise AssertionError("logs were read")

    target = console(tty=True)
    run(target, clock, verbose=0, read=read)
    assert written(target) == ""


def test_logs_are_read_ten_times_a_second_at_most(clock):
    reads = []

    def read():
        reads.append(clock.now)
        return {"loss": 1.0}

    run(console(tty=True), clock, steps=3000, total=3000, read=read)  # 3 seconds
    assert 28 <= len(reads) <= 31
    assert min(b - a for a, b in itertools.pairwise(reads)) >= 0.099


def test_no_log_is_read_where_no_line_is_drawn(clock):
    def read():
        raise AssertionError("logs were read")

    run(console(tty=False), clock, read=read)


def test_one_epoch_has_no_heading(clock):
    target = console(tty=False)
    run(target, clock, epochs=1)
    assert "Epoch" not in written(target)


def test_an_unknown_length_is_shown_at_the_end(clock):
    target = console(tty=True)
    run(target, clock, steps=300, total=None)
    assert re.search(r"\d+/Unknown 0s 1ms/step", written(target))
    assert "300/300 ━" in written(target)


def test_the_remaining_time_is_shown_while_it_runs(clock):
    line = ProgressLine(7300)
    line.count(0)
    clock.now += 10.0  # the first step compiles
    line.count(1)
    clock.now += 99.0
    expected = " 100/7300 ━".replace("━", "╸") + "─" * 19 + " 2:00:00 1s/step"
    assert line.text(100, {}, final=False, bar=True) == expected


def test_an_exception_leaves_the_console_usable(clock):
    target = console(tty=True)
    with pytest.raises(KeyError), EpochDisplay(10, 0, 1, 1, dict, target) as display:
        display.advance()
        raise KeyError
    with EpochDisplay(10, 0, 1, 1, dict, target) as display:
        display.advance(10)
        display.finish({"loss": 1.0})
    assert "loss: 1.0000" in written(target)


def test_disabled_interactive_logging_is_plain(clock, monkeypatch):
    monkeypatch.setattr(settings, "interactive_logging", False)
    target = console(tty=True)
    run(target, clock)
    assert "━" not in written(target)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(2e-6, "2us"), (863e-6, "863us"), (0.0042, "4ms"), (3.2, "3s")],
)
def test_short_times(seconds, text):
    assert progress_display._format_step_time(seconds) == text


def test_progbar_averages_what_is_not_stateful(capsys):
    bar = Progbar(4, verbose=2, stateful_metrics=["seen"])
    for i, loss in enumerate([1.0, 2.0, 3.0, 6.0]):
        bar.update(i + 1, [("loss", loss), ("seen", i)])
    out = capsys.readouterr().out
    assert "loss: 3.0000" in out  # the mean
    assert "seen: 3.0000" in out  # the last one
    assert out.startswith("4/4 - ")


def test_progbar_weights_a_value_by_its_steps(capsys):
    bar = Progbar(10, verbose=2)
    bar.add(8, [("loss", 1.0)])
    bar.add(2, [("loss", 6.0)])
    assert "loss: 2.0000" in capsys.readouterr().out


def test_progbar_accepts_one_kind_of_metrics_only():
    with pytest.raises(ValueError, match="stateful_metrics or stateless_metrics"):
        Progbar(1, stateful_metrics=[], stateless_metrics=[])


def test_progbar_names_its_steps(capsys):
    Progbar(2, verbose=2, unit_name="image").update(2)
    assert re.fullmatch(r"2/2 - 0s - \d+(us|ms)/image\n", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("interval", "drawn"), [(0.05, [1, 3, 4, 5]), (10, [1, 5]), (0, range(1, 6))]
)
def test_progbar_draws_after_its_interval_and_at_the_end(monkeypatch, clock, interval, drawn):
    seen = []
    monkeypatch.setattr(progress_display._Display, "draw", lambda _, text: seen.append(text))
    monkeypatch.setattr(progress_display._Display, "end", lambda _, text: seen.append(text))
    bar = Progbar(5, interval=interval)
    for seconds in (0.01, 0.02, 0.04, 0.1, 0.01):
        clock.now += seconds
        bar.add(1)
    assert [int(str(text).split("/")[0]) for text in seen] == list(drawn)


def test_progbar_with_verbose_0_is_silent(capsys):
    Progbar(1, verbose=0).update(1, [("loss", 1.0)])
    assert capsys.readouterr().out == ""


def test_progbar_logger_in_a_list(capsys):
    callbacks = CallbackList(add_progbar=True, verbose=1, epochs=2, steps=3)
    assert isinstance(callbacks.callbacks[0], ProgbarLogger)
    callbacks.on_train_begin()
    for epoch in range(2):
        callbacks.on_epoch_begin(epoch)
        for batch in range(3):
            callbacks.on_train_batch_end(batch, {"loss": 9.0})
        callbacks.on_test_begin()  # a validation shows nothing
        callbacks.on_test_batch_end(0, {"loss": 7.0})
        callbacks.on_test_end({"loss": 7.0})
        callbacks.on_epoch_end(epoch, {"loss": 0.5, "val_loss": 0.25})
    lines = capsys.readouterr().out.splitlines()
    assert [lines[0], lines[2]] == ["Epoch 1/2", "Epoch 2/2"]
    assert len(lines) == 4
    assert lines[1].endswith("loss: 0.5000 - val_loss: 0.2500")


def test_progbar_logger_of_unknown_length(capsys):
    callbacks = CallbackList(add_progbar=True, verbose=2, epochs=1, steps=None)
    callbacks.on_test_begin()
    for batch in range(5):
        callbacks.on_test_batch_end(batch, {"loss": 1.0})
    callbacks.on_test_end({"loss": 0.5})
    assert capsys.readouterr().out.startswith("5/5 - ")


@pytest.mark.parametrize("has_widgets", [True, False])
def test_a_notebook_is_live_if_it_can_redraw(has_widgets, monkeypatch):
    monkeypatch.setattr(progress_display, "is_installed", lambda library: has_widgets)
    target = rich_console.Console(file=io.StringIO(), force_jupyter=True, width=100)
    assert progress_display.is_live(target, 1) is has_widgets
    assert not progress_display.is_live(target, 2)


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([("loss", 0.5)], "loss: 0.5000"),
        ([["loss", 0.5]], "loss: 0.5000"),
        ({"loss": 0.5, "acc": 1}, "loss: 0.5000 - acc: 1.0000"),
        ([("loss", [1.0, 2.0])], "loss: 1.5000"),
        ([("loss", np.array([1.0, 3.0]))], "loss: 2.0000"),
        ([("loss", ops.convert_to_tensor([1.0, 3.0]))], "loss: 2.0000"),
        ([("loss", np.float32(0.5))], "loss: 0.5000"),
        (None, "step"),
    ],
)
def test_values_of_a_bar(values, shown, capsys):
    bar = Progbar(2, verbose=2)
    bar.update(1, values)
    bar.update(2, values)
    assert capsys.readouterr().out.rstrip().endswith(shown)


@pytest.mark.parametrize(
    "values", [1, ["loss"], [0.5], "loss", [("loss", None)], [("loss", "x")], [(1, 2.0)], [[1, 2]]]
)
def test_values_that_are_no_pairs_are_refused(values):
    with pytest.raises(TypeError, match="expected: values as pairs"):
        Progbar(2, verbose=0).update(1, values)


def test_numbers_of_steps_of_a_bar_are_checked_by_name():
    for wrong in ([1, 2], "1", True):
        for name, run in {
            "current": Progbar(2, verbose=0).update,
            "n": Progbar(2, verbose=0).add,
            "target": Progbar,
        }.items():
            with pytest.raises(TypeError, match=f"expected: {name} as a number of steps"):
                run(wrong)
