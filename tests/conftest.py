"""Shared by all tests. A test runs on the backend that KERAS_BACKEND names."""

import os
from pathlib import Path

HERE = Path(__file__).parent
# Tests of code that calls no backend: readers of files, downloads, pictures, names. nox runs them
# on one backend at every push (KERAS_FN_BACKEND_FREE=skip on the others), and the thorough run on
# all.
BACKEND_FREE = {
    HERE / name
    for name in (
        "alias/test_facade.py",
        "alias/test_installation.py",
        "applications/test_architectures.py",
        "applications/test_arguments.py",
        "applications/test_published_weights.py",
        "cli/test_command_line_page.py",
        "cli/test_inspect.py",
        "cli/test_main.py",
        "cli/test_verify.py",
        "core/test_dtypes.py",
        "core/test_hashes.py",
        "core/test_memoize.py",
        "core/test_naming.py",
        "core/test_tracebacks.py",
        "core/test_tree.py",
        "data_adapters/test_shuffle_buffer.py",
        "datasets",
        "distribution/test_cluster.py",
        "distribution/test_gathering.py",
        "layers/preprocessing/test_text_splitting.py",
        "quantizers/test_quantization_config.py",
        "random/test_philox.py",
        "saving/test_archive.py",
        "saving/test_checkpoint.py",
        "saving/test_file_io.py",
        "saving/test_fuzz.py",
        "saving/test_hdf5.py",
        "saving/test_hdf5_attacks.py",
        "saving/test_hugging_face.py",
        "saving/test_safetensors_file.py",
        "saving/test_strict_json.py",
        "saving/test_torch_checkpoint.py",
        "test_architecture.py",
        "test_docstrings.py",
        "test_language.py",
        "test_regex.py",
        "utils/test_archive_utils.py",
        "utils/test_config.py",
        "utils/test_file_utils.py",
        "utils/test_sequence_utils.py",
        "utils/test_wav.py",
        "visualization",
    )
}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """Leaves out what another backend's part runs."""
    skips = os.environ.get("KERAS_FN_BACKEND_FREE") == "skip"
    return True if skips and collection_path in BACKEND_FREE else None
