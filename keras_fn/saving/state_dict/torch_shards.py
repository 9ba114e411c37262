"""State dicts of PyTorch in several files, as Hugging Face publishes them.

`pytorch_model.bin.index.json` names the shard of each tensor, `pytorch_model-00001-of-00003.bin`.
"""

import contextlib
from collections.abc import Iterator
from typing import BinaryIO

from keras_fn.saving import shards
from keras_fn.saving.errors import model_file_errors
from keras_fn.saving.file_io import describe
from keras_fn.saving.state_dict.torch_checkpoint import TorchCheckpoint

INDEX_ENDING = ".bin.index.json"

NAMING = shards.ShardNaming("-{number:05}-of-{count:05}.bin", ".bin")


@contextlib.contextmanager
def open_shards(file: BinaryIO, path: str) -> Iterator[list[TorchCheckpoint]]:
    """Context manager that opens the shards of an index, which are closed afterwards.

    Args:
        file: The index.
        path: Its path. The shards are in the same folder.

    Raises:
        ModelFileError: The index is malformed, or a tensor is not where it says.
    """
    with shards.open_shards(file, path, NAMING, TorchCheckpoint) as (index, files):
        with model_file_errors(describe(file)):
            names = {
                shard: [str(name) for name in opened.content]
                for shard, opened in files.items()
                if isinstance(opened.content, dict)
            }
            shards.check_places(index["weight_map"], names)
        yield list(files.values())
