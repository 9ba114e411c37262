"""A process that loads the files it receives, under a memory limit, and reports the result.

One JSON line in (`kind`, `path`), one JSON line out. `Watchdog` in conftest.py is its other end.
"""

import json
import resource
import sys

from keras_fn.saving.archive import read_archive
from keras_fn.saving.file_io import open_for_reading
from keras_fn.saving.hdf5.file import Hdf5File, datasets, open_hdf5
from keras_fn.saving.strict_json import parse_json

MEMORY_BYTES = 1 << 30


def read_all(h5: Hdf5File) -> list[str]:
    for path, info in datasets(h5).items():
        h5.read(path, info.shape, info.dtype)
    for path in (*h5.groups, *datasets(h5)):
        for name in h5.attribute_names(path):
            h5.attribute(path, name)
    return list(datasets(h5))


def load(kind: str, path: str) -> list[str]:
    with open_for_reading(path) as file:
        if kind == "json":
            return [type(parse_json(file.read())).__name__]
        if kind == "hdf5":
            return read_all(open_hdf5(file))
        archive = read_archive(file)
        archive.parse_config()
        return read_all(open_hdf5(archive.weights, name=archive.weights_name))


def answer(kind: str, path: str) -> dict:
    try:
        return {"error": None, "found": load(kind, path)}
    except Exception as error:
        return {"error": [c.__name__ for c in type(error).__mro__], "message": str(error)}


def limit_memory() -> None:
    with open("/proc/self/statm") as file:
        in_use = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (in_use + MEMORY_BYTES,) * 2)


if __name__ == "__main__":
    limit_memory()
    for line in sys.stdin:
        print(json.dumps(answer(**json.loads(line))), flush=True)
