"""Runs the blocks of docs/command_line.md: the Python ones, and the console ones with their output.

`...` in an output stands for any text. A last line `[exit code N]` belongs to the command before.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

from keras_fn.cli.main import COMMANDS, main

PAGE = Path(__file__).parents[2] / "docs" / "command_line.md"
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"\[exit code (\d+)\]\n?")


def run(line: str, capsys) -> tuple[int, str]:
    words = shlex.split(line)
    if words[:2] == ["keras-fn", "run"]:  # it replaces the process
        command = [sys.executable, "-m", "keras_fn", *words[1:]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout
    if words[0] != "keras-fn":
        return subprocess.run(line, shell=True, check=True).returncode, ""
    code = main(words[1:])
    return code, capsys.readouterr().out


def test_the_blocks_run_and_print_what_they_say(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    commands = set()
    for kind, text in _BLOCK.findall(PAGE.read_text("utf-8")):
        if kind == "python":
            exec(text, {"__name__": "__main__"})
            continue
        assert kind == "console"
        for step in text.removeprefix("$ ").split("\n$ "):
            line, _, expected = step.partition("\n")
            code = _CODE.search(expected)
            expected = _CODE.sub("", expected).rstrip()
            found, out = run(line, capsys)
            assert found == (int(code[1]) if code else 0), line
            pattern = re.escape(re.sub(r" +", " ", expected)).replace(r"\.\.\.", r".*")
            out = re.sub(r" +", " ", out.rstrip())
            assert re.fullmatch(pattern, out, re.DOTALL), f"{line}\n{out}\n---\n{expected}"
            commands.add(line.split()[1])
    assert commands >= set(COMMANDS)
