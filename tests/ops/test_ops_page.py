"""docs/ops.md lists all ops."""

import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location(
    "generate_ops_page", Path(__file__).with_name("generate_ops_page.py")
)
generator = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generator)


def test_the_page_lists_every_op_by_chapter():
    page = generator.PAGE.read_text("utf-8")
    assert page == generator.render_page(), (
        "docs/ops.md is outdated: run python tests/ops/generate_ops_page.py"
    )
