"""Which process of how many this is: read from the environment that has started it."""

import json
import os
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from keras_fn.errors import SpecError, UnsupportedError


class Cluster(NamedTuple):
    """The processes that train together.

    Attributes:
        process_index: The index of this process.
        process_count: The number of processes.
        address: Host and port of process 0; empty if unknown.
        local_index: The index of this process among those of this machine: the number of its
            device, if each has one.
        local_count: The number of processes on this machine; 0 if unknown.
        source: Who has started the processes; empty if this one is alone.
    """

    process_index: int = 0
    process_count: int = 1
    address: str = ""
    local_index: int = 0
    local_count: int = 0
    source: str = ""


Environment = Mapping[str, str]

_FIRST_PORT, _PORTS = 61440, 4096  # of jobs whose launcher gives a number, but no port


def find_cluster(environment: Environment = os.environ) -> Cluster:
    """Returns the cluster that the environment describes; of one process if it describes none.

    The names of Keras come first, then those of torchrun, Slurm, Open MPI and TensorFlow.

    Args:
        environment: The environment variables.

    Raises:
        ValueError: A variable is missing, or has another form.

    Example:
        >>> find_cluster({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "host"})[:3]
        (1, 2, 'host:29501')
    """
    for source, marker, read in _SOURCES:
        if marker in environment:
            try:
                cluster = read(environment)
            except (KeyError, ValueError, TypeError, AttributeError) as error:
                if isinstance(error, SpecError):
                    raise
                raise SpecError(
                    f"initialize, variables of {source}",
                    expected="all variables that describe the cluster",
                    received=f"{marker}={environment[marker]}, and {error!r}",
                    fix="pass job_addresses, num_processes and process_id",
                ) from None
            return _check(cluster._replace(source=source))
    return Cluster()


def _check(cluster: Cluster) -> Cluster:
    if not 0 <= cluster.process_index < cluster.process_count:
        raise SpecError(
            f"initialize, variables of {cluster.source}",
            expected=f"an index of a process below {cluster.process_count}",
            received=str(cluster.process_index),
            fix="start each process with its own index, counted from 0",
        )
    return cluster


def _from_keras(env: Environment) -> Cluster:
    return Cluster(
        int(env.get("KERAS_DISTRIBUTION_PROCESS_ID", 0)),
        int(env["KERAS_DISTRIBUTION_NUM_PROCESSES"]),
        env.get("KERAS_DISTRIBUTION_JOB_ADDRESSES", "").partition(",")[0],
        int(env.get("LOCAL_RANK", 0)),
        int(env.get("LOCAL_WORLD_SIZE", 0)),
    )


def _from_torchrun(env: Environment) -> Cluster:
    # The port itself is taken by the store of torchrun.
    port = int(env.get("MASTER_PORT", 29500)) + 1
    return Cluster(
        int(env["RANK"]),
        int(env["WORLD_SIZE"]),
        f"{env.get('MASTER_ADDR', '127.0.0.1')}:{port}",
        int(env.get("LOCAL_RANK", 0)),
        int(env.get("LOCAL_WORLD_SIZE", 0)),
    )


def _from_slurm(env: Environment) -> Cluster:
    nodes = env.get("SLURM_STEP_NODELIST") or env.get("SLURM_JOB_NODELIST") or "127.0.0.1"
    port = _FIRST_PORT + int(env.get("SLURM_JOB_ID", 0)) % _PORTS
    local_counts = env.get("SLURM_STEP_TASKS_PER_NODE", "0")
    return Cluster(
        int(env["SLURM_PROCID"]),
        int(env["SLURM_NTASKS"]),
        f"{_first_node(nodes)}:{port}",
        int(env.get("SLURM_LOCALID", 0)),
        int(re.split(r"[(,]", local_counts)[0]),
    )


def _first_node(nodes: str) -> str:
    """Returns the first host of a list as Slurm writes it: `"node[003-006,9],other"`."""
    name, bracket, rest = nodes.partition("[")
    if not bracket or "," in name:
        return name.partition(",")[0]
    return name + re.split(r"[-,\]]", rest)[0]


def _from_open_mpi(env: Environment) -> Cluster:
    index, count = int(env["OMPI_COMM_WORLD_RANK"]), int(env["OMPI_COMM_WORLD_SIZE"])
    local_count = int(env.get("OMPI_COMM_WORLD_LOCAL_SIZE", 0))
    # "1531576320.0;tcp://10.96.0.1,10.148.0.1:34911", of Open MPI 4
    job, _, hosts = env.get("OMPI_MCA_orte_hnp_uri", "").partition(".0;tcp://")
    host = env.get("MASTER_ADDR") or re.split("[,:]", hosts)[0]
    if not host and local_count == count:
        host = "127.0.0.1"
    if not host and count > 1:
        raise SpecError(
            "initialize, variables of Open MPI",
            expected="the host of process 0",
            received="none, as Open MPI 5 does not say it",
            fix="mpirun -x MASTER_ADDR=<host of process 0>",
        )
    number = int(job) if job.isdigit() else sum(env.get("PMIX_NAMESPACE", "").encode())
    port = int(env.get("MASTER_PORT", _FIRST_PORT + number % _PORTS))
    local_index = int(env.get("OMPI_COMM_WORLD_LOCAL_RANK", 0))
    return Cluster(index, count, f"{host}:{port}", local_index, local_count)


def _from_tensorflow(env: Environment) -> Cluster:
    config = json.loads(env["TF_CONFIG"])
    jobs, task = config["cluster"], config["task"]
    if task["type"] not in ("chief", "worker"):
        raise UnsupportedError(
            f"TF_CONFIG describes a task of the type {task['type']!r}: only workers train here.",
            fix='start processes of the types "worker" and "chief" only',
        )
    addresses = [*jobs.get("chief", ()), *jobs.get("worker", ())]
    first = len(jobs.get("chief", ())) if task["type"] == "worker" else 0
    return Cluster(first + int(task["index"]), len(addresses), addresses[0])


_SOURCES: tuple[tuple[str, str, Callable[[Environment], Cluster]], ...] = (
    ("Keras", "KERAS_DISTRIBUTION_NUM_PROCESSES", _from_keras),
    ("torchrun", "WORLD_SIZE", _from_torchrun),
    ("Slurm", "SLURM_PROCID", _from_slurm),
    ("Open MPI", "OMPI_COMM_WORLD_SIZE", _from_open_mpi),
    ("TensorFlow", "TF_CONFIG", _from_tensorflow),
)
