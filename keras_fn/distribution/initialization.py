"""`initialize`: connects the processes of a cluster, before they compute anything."""

import os
from typing import cast

from keras_fn.backend.distribution_contract import SupportsProcesses
from keras_fn.backend.loader import current, supports
from keras_fn.distribution.cluster import Cluster, find_cluster
from keras_fn.distribution.failure_detector import FailureDetector
from keras_fn.distribution.processes import exchange_text, processes
from keras_fn.distribution.watchdog import Watchdog
from keras_fn.errors import DTypeError, SpecError, UnsupportedError
from keras_fn.random.seed_generator import get_random_seed, make_default_seed, set_random_seed


def initialize(
    job_addresses: str | None = None,
    num_processes: int | None = None,
    process_id: int | None = None,
    timeout: float = 600.0,
) -> None:
    """Connects this process with the others that it trains with, on this machine or on several.

    Call it first, before anything is computed. What is not passed is found in the environment: the
    variables of Keras (`KERAS_DISTRIBUTION_JOB_ADDRESSES`, `..._NUM_PROCESSES`,
    `..._PROCESS_ID`), of torchrun, Slurm, Open MPI, or TensorFlow's `TF_CONFIG`. In a process that
    is alone it does nothing. All processes get the random seed of process 0.

    Args:
        job_addresses: Hosts and ports of the processes, separated by commas. That of process 0 is
            enough.
        num_processes: Number of processes.
        process_id: Index of this process, from 0.
        timeout: Seconds to wait for the others: until they are there, and later until one of them
            is regarded as stuck. Default 600.

    Raises:
        ValueError: The arguments or the environment describe no cluster, or `set_random_seed` was
            called with different seeds.
        UnsupportedError: There are several processes, and the backend computes in one.

    Example:
        >>> keras.distribution.initialize()
    """
    _check_timeout(timeout)
    _check_arguments(job_addresses, num_processes=num_processes, process_id=process_id)
    cluster = _get_cluster(job_addresses, num_processes, process_id)
    if cluster.process_count == 1 or processes.timeout is not None:
        return
    if not supports("initialize_processes"):
        raise UnsupportedError(
            f"keras.distribution computes in one process with the backend {current().name!r} "
            f"today, and there are {cluster.process_count}. Several work with the backend 'jax'.",
            fix="set KERAS_BACKEND=jax, or start one process",
        )
    if not cluster.address:
        raise SpecError(
            "initialize",
            expected="the host and port of process 0",
            received="none",
            fix='for example job_addresses="10.0.0.1:1234"',
        )
    cast(SupportsProcesses, current()).initialize_processes(
        cluster.address,
        cluster.process_count,
        cluster.process_index,
        cluster.local_index if cluster.local_count > 1 else None,
        timeout,
    )
    processes.index, processes.count = cluster.process_index, cluster.process_count
    processes.timeout = timeout
    backend = cast(SupportsProcesses, current())
    Watchdog(backend.exchange_counts, processes.index, processes.count, timeout).start()
    host = cluster.address.rpartition(":")[0].strip("[]")
    FailureDetector(processes.index, processes.count).start(host, exchange_text)
    _share_seed()


def _check_arguments(addresses: object, **numbers: object) -> None:
    if addresses is not None and not isinstance(addresses, str):
        raise DTypeError(
            "initialize",
            expected="job_addresses: hosts and ports, separated by commas",
            received=f"job_addresses={addresses!r}",
            fix='for example job_addresses="10.0.0.1:1234"',
        )
    for name, number in numbers.items():
        if number is not None and (not isinstance(number, int) or isinstance(number, bool)):
            raise DTypeError(
                "initialize",
                expected=f"{name}: an integer",
                received=f"{name}={number!r}",
                fix=f"for example {name}=1",
            )


def _check_timeout(timeout: object) -> None:
    if not isinstance(timeout, (int, float)) or isinstance(timeout, bool) or not timeout > 0:
        raise DTypeError(
            "initialize",
            expected="timeout: a positive number of seconds",
            received=f"timeout={timeout!r}",
            fix="for example timeout=600",
        )


def _get_cluster(addresses: str | None, count: int | None, index: int | None) -> Cluster:
    """Returns the cluster of the arguments, and of the environment where they are None."""
    found = find_cluster(os.environ)
    given: dict[str, object] = {}
    if addresses is not None:
        given["address"] = addresses.partition(",")[0].strip()
    if count is not None:
        given["process_count"] = count
    if index is not None:
        given["process_index"] = index
    cluster = found._replace(**given)
    if (index is not None or addresses is not None) and count is None and not found.source:
        cluster = cluster._replace(process_count=max(1, len((addresses or "").split(","))))
    if not 0 <= cluster.process_index < cluster.process_count:
        raise SpecError(
            "initialize",
            expected=f"process_id from 0 to {cluster.process_count - 1}, below num_processes",
            received=f"process_id={index!r}, num_processes={count!r}",
            fix="pass both, with another process_id in each process",
        )
    return cluster


def _share_seed() -> None:
    """Seeds this process as process 0, unless the program has set a seed."""
    own = get_random_seed()
    seeds = exchange_text("random seed", "" if own is None else str(own))
    chosen = {seed for seed in seeds if seed}
    if len(chosen) > 1:
        raise SpecError(
            "initialize",
            expected="one random seed in all processes",
            received=", ".join(f"{seed or 'none'} in process {i}" for i, seed in enumerate(seeds)),
            fix="call set_random_seed with the same number, or in no process",
        )
    if not chosen:
        chosen = {exchange_text("new random seed", str(make_default_seed()))[0]}
    if own is None:
        set_random_seed(int(chosen.pop()))
