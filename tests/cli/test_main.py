"""The command line as a whole: help, errors, exit codes, pipes."""

import json
import os
import subprocess
import sys

import pytest

from keras_fn.cli import inspect_command
from keras_fn.cli.main import COMMANDS
from keras_fn.version import __version__

FRAMEWORKS = "{'torch', 'jax', 'tensorflow', 'keras_fn.layers', 'h5py', 'rich'}"


def test_help_names_every_command(run):
    code, out, _ = run("--help")
    assert code == 0 and all(f"\n  {name} " in out for name in COMMANDS)
    assert run()[0] == 2 and run("--version") == (0, f"keras-fn {__version__}\n", "")


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"run"}))
def test_every_command_has_help(command, run):
    with pytest.raises(SystemExit) as done:
        run(command, "--help")
    assert done.value.code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["inspekt"], "did you mean inspect?"),
        (["inspect"], "the following arguments are required: file"),
        (["inspect", "a", "--nothing"], "unrecognized arguments: --nothing"),
        (["inspect", "no.keras"], "No such file"),
        (["diff", "no.keras", "no.h5"], "No such file"),
        (["convert", "no.keras", "no.h5"], "No such file"),
        (["plot", "no.keras"], "No such file"),
        (["diff", "a.h5", "b.h5", "--tolerance", "nan"], "a number of 0 or more"),
    ],
)
def test_errors_have_four_parts_and_no_traceback(arguments, said, run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = run(*arguments)
    assert (code, out) == (2, "") and said in err and "Traceback" not in err
    assert all(part in err for part in ("error: ", "  expected: ", "  received: ", "  fix: "))
    code, out, err = run(*arguments, "--json")
    assert (code, out) == (2, "")
    assert set(json.loads(err)["error"]) == {"source", "expected", "received", "fix"}


def test_data_commands_import_no_framework_and_start_fast(files):
    program = (
        "import sys; from keras_fn.cli.main import main\n"
        "code = [main([c, sys.argv[1]]) for c in ('inspect', 'verify')]\n"
        f"sys.exit(str({FRAMEWORKS} & set(sys.modules) or ''))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(files / "m.keras")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr.strip() == "" and "Functional 'net'" in done.stdout


def test_a_closed_pipe_is_no_error(files):
    command = f"{sys.executable} -m keras_fn inspect {files / 'm.keras'} --json"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command} | head -c 1"],
        capture_output=True, text=True, check=False, env=dict(os.environ),
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("{", "")


def test_an_error_of_custom_code_is_no_answer(files, run, tmp_path, monkeypatch):
    (tmp_path / "faulty_module.py").write_text("raise ValueError('mine')")
    monkeypatch.syspath_prepend(tmp_path)
    arguments = ("verify", files / "m.keras", "--load", "--import", "faulty_module")
    code, out, err = run(*arguments)
    assert (code, out) == (2, "") and "Traceback" in err and "ValueError: mine" in err
    code, out, err = run(*arguments, "--json")
    assert (code, out) == (2, "") and json.loads(err)["error"]["source"] == "mine"


def test_names_that_the_encoding_does_not_have_are_escaped(files, tmp_path):
    path = tmp_path / "m\N{SNOWMAN}.safetensors"
    path.write_bytes((files / "m.safetensors").read_bytes())
    done = subprocess.run(
        [sys.executable, "-m", "keras_fn", "verify", str(path)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "") and r"m\u2603.safetensors" in done.stdout


def test_control_c_ends_quietly(run, monkeypatch):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(inspect_command, "execute", interrupt)
    assert run("inspect", "x") == (130, "", "")


def test_a_terminal_gets_colors_a_pipe_none(files, run, monkeypatch):
    assert "\x1b" not in run("inspect", files / "m.keras")[1]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("FORCE_COLOR", "1")
    out = run("inspect", files / "m.keras")[1]
    assert "\x1b[" in out and "hidden" in out
