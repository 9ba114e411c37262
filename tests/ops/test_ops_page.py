"""docs/ops.md lists the ops that there are."""

import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location(
    "generate_ops_page", Path(__file__).with_name("generate_ops_page.py")
)
reference = importlib.util.module_from_spec(spec)
spec.loader.exec_module(reference)


def test_the_page_lists_every_op_by_group():
    found = reference.PAGE.read_text("utf-8")
    assert found == reference.page(), (
        "docs/ops.md is old: run python tests/ops/generate_ops_page.py"
    )
