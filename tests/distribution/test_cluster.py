"""Who has started this process, the launcher, and the watchdog; no backend is needed."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from keras_fn import launch
from keras_fn.distribution.cluster import Cluster, find_cluster
from keras_fn.distribution.watchdog import Watchdog

TF_CLUSTER = {"chief": ["c:1"], "worker": ["a:1", "b:2"]}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Cluster()),
        (
            {
                "KERAS_DISTRIBUTION_NUM_PROCESSES": "2",
                "KERAS_DISTRIBUTION_PROCESS_ID": "1",
                "KERAS_DISTRIBUTION_JOB_ADDRESSES": "a:1,b:2",
                "WORLD_SIZE": "9",
            },
            Cluster(1, 2, "a:1", source="Keras"),
        ),
        (
            {
                "RANK": "3",
                "WORLD_SIZE": "4",
                "LOCAL_RANK": "1",
                "LOCAL_WORLD_SIZE": "2",
                "MASTER_ADDR": "h",
                "MASTER_PORT": "5",
            },
            Cluster(3, 4, "h:6", 1, 2, "torchrun"),
        ),
        (
            {
                "SLURM_PROCID": "2",
                "SLURM_NTASKS": "8",
                "SLURM_LOCALID": "0",
                "SLURM_JOB_ID": "5",
                "SLURM_STEP_NODELIST": "node[003-006,9],other",
                "SLURM_STEP_TASKS_PER_NODE": "2(x4)",
            },
            Cluster(2, 8, "node003:61445", 0, 2, "Slurm"),
        ),
        (
            {
                "OMPI_COMM_WORLD_RANK": "1",
                "OMPI_COMM_WORLD_SIZE": "4",
                "OMPI_COMM_WORLD_LOCAL_RANK": "1",
                "OMPI_COMM_WORLD_LOCAL_SIZE": "2",
                "OMPI_MCA_orte_hnp_uri": "4096.0;tcp://10.96.0.1,10.148.0.1:34911",
            },
            Cluster(1, 4, "10.96.0.1:61440", 1, 2, "Open MPI"),
        ),
        (
            {
                "TF_CONFIG": json.dumps(
                    {"cluster": TF_CLUSTER, "task": {"type": "worker", "index": 1}}
                )
            },
            Cluster(2, 3, "c:1", source="TensorFlow"),
        ),
    ],
    ids=["alone", "keras", "torchrun", "slurm", "open_mpi", "tensorflow"],
)
def test_each_launcher_is_understood(environment, expected):
    assert find_cluster(environment) == expected


@pytest.mark.parametrize("nodes", ["n1", "n1,n2", "n1,n[2-3]", "n[1-3]", "n[1,3]"])
def test_the_first_host_of_a_list_of_slurm(nodes):
    found = find_cluster({"SLURM_PROCID": "0", "SLURM_NTASKS": "1", "SLURM_JOB_NODELIST": nodes})
    assert found.address == "n1:61440"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"WORLD_SIZE": "2"}, "KeyError.'RANK'"),
        ({"RANK": "2", "WORLD_SIZE": "2"}, "an index of a process below 2"),
        ({"RANK": "x", "WORLD_SIZE": "2"}, "variables of torchrun"),
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "2"}, "mpirun -x MASTER_ADDR"),
        ({"TF_CONFIG": "{}"}, "variables of TensorFlow"),
    ],
)
def test_a_cluster_that_is_described_badly(environment, message):
    with pytest.raises(ValueError, match=message):
        find_cluster(environment)


def test_parameter_servers_are_refused():
    task = {"cluster": TF_CLUSTER, "task": {"type": "ps", "index": 0}}
    with pytest.raises(NotImplementedError, match="only workers train"):
        find_cluster({"TF_CONFIG": json.dumps(task)})


def run_launcher(tmp_path: Path, program: str, *options: str) -> tuple[int, str]:
    script = tmp_path / "program.py"
    script.write_text(program, "utf-8")
    command = [sys.executable, "-m", "keras_fn.launch", "-n", "2", *options, str(script), "word"]
    found = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return found.returncode, found.stdout


def test_the_launcher_starts_processes(tmp_path):
    code, text = run_launcher(
        tmp_path,
        "import os, sys; from keras_fn.distribution.cluster import find_cluster as f\n"
        "c = f(); print(c.process_index, c.process_count, c.local_index, c.source, sys.argv[1])",
    )
    assert code == 0
    assert sorted(text.splitlines()) == ["[0] 0 2 0 Keras word", "[1] 1 2 1 Keras word"]


def test_the_launcher_ends_the_others_and_shows_the_cause_last(tmp_path):
    started = time.monotonic()
    code, text = run_launcher(
        tmp_path,
        "import os, sys, time\n"
        "if os.environ['RANK'] == '1': print('the cause'); sys.exit(5)\n"
        "time.sleep(50)",
        "--grace",
        "0.2",
    )
    assert code == 5 and time.monotonic() - started < 30
    assert text.splitlines()[-2:] == [
        "launch: process 1 of 2 failed first, with code 5. Its last lines:",
        "the cause",
    ]


def test_the_launcher_starts_again(tmp_path):
    flag = tmp_path / "flag"
    code, text = run_launcher(
        tmp_path,
        f"import os, signal, pathlib; flag = pathlib.Path({str(flag)!r})\n"
        "if os.environ['RANK'] == '0' and not flag.exists():\n"
        "    flag.touch(); os.kill(os.getpid(), signal.SIGKILL)\n"
        "print('done')",
        "--grace",
        "0.2",
        "--restarts",
        "2",
    )
    assert code == 0
    assert "process 0 of 2 failed first, with signal 9: all start again" in text


def test_the_launcher_ends_its_processes_when_it_is_ended(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os, time; print(os.getpid(), flush=True); time.sleep(50)")
    options = ["-n", "2", "--grace", "5", str(script)]
    launcher = subprocess.Popen(
        [sys.executable, "-m", "keras_fn.launch", *options], stdout=subprocess.PIPE, text=True
    )
    assert launcher.stdout is not None
    numbers = [int(launcher.stdout.readline().split()[1]) for _ in range(2)]
    launcher.terminate()
    launcher.communicate(timeout=30)
    assert launcher.returncode == 128 + signal.SIGTERM
    for number in numbers:
        with pytest.raises(ProcessLookupError):
            os.kill(number, 0)


@pytest.mark.parametrize(
    ("codes", "first"),
    [((70, -9), 1), ((1, -9), 1), ((-6, 1), 1), ((1, 1), 0), ((-6, 70), 0), ((3, 70), 0)],
)
def test_the_cause_of_failures_at_the_same_time_is_not_what_follows_from_it(codes, first):
    workers = [
        SimpleNamespace(index=i, process=SimpleNamespace(returncode=code))
        for i, code in enumerate(codes)
    ]
    assert min(workers, key=launch._order_by_cause).index == first


def test_the_launcher_needs_a_script(capsys):
    with pytest.raises(SystemExit):
        launch.main(["-n", "2"])
    assert "a script" in capsys.readouterr().err


def test_the_watchdog_names_the_process_that_stands_still():
    failures = []
    counts = [0, 0, 0]

    def exchange(count: int) -> list[int]:
        counts[0] = count
        counts[1] += 1
        return [*counts[:2], 7]  # process 2 stands still

    dog = Watchdog(exchange, 0, 3, 0.5, failures.append)
    dog.start()
    end = time.monotonic() + 20
    while not failures and time.monotonic() < end:
        time.sleep(0.02)
    dog.stop()
    assert "none of process 2" in str(failures[0]) and "within 0.5 s" in str(failures[0])


def test_the_watchdog_knows_ends_and_late_starts():
    dog = Watchdog(lambda _: [1, -1], 0, 2, 5.0, None)
    now = time.monotonic()
    assert dog.check(now) is None
    error = dog.check(now + 6)  # nothing was exchanged: process 0 keeps the counts
    assert error is not None and "none of process 0" in str(error)
