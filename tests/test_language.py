"""The words of code and docs are the field's, as in `docs/glossary.md`, in American English."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("keras_fn", "backends", "tests", "integration_tests", "docs")
# Programs and texts of others, recorded outputs, and this list itself.
NOT_OURS = ("fixtures", "programs", "performance.md", Path(__file__).name)
# What a reader who knows Keras, PyTorch or JAX would not search for, and what to write instead.
REFUSED = {
    r"(short|full|long) roads?": "fast path, slow path",
    r"\broads?\b(?! less scheduled)": "path",
    r"the house\b|house rules": "codebase",
    r"\bfloors? (of|\d)|lowest floors|upper floors|lower floors": "level",
    r"\bface(s)? (only|gather|list|that)|public face": "public namespace",
    r"class numbers?\b(?!\()|class_numbers?\b": "class index, integer label",
    r"\bbeside\b": "next to, in addition to, compared with",
    r"\blikewise\b": "same as ...",
    r"(?<!\")\btold\b": "received, reported, specified",
    r"of (the|a) user'?s own|of one'?s own|ones_own": "custom, user-defined",
    r"(?<![Tt]here )\b(?-i:(is|are) (no|none)) (?!(longer|more|doubt)\b)\w":
        "is not a, there are no",
    r"How (the|a|an) [\w` ]+ begins?\b": "Initializer for",
    r"Adds a loss of": "Regularizer applied to",
    r"How much of .* stays": "Exponential decay rate",
    r"what training makes small": "minimized during training",
    r"\bshall\b": "must, should",
    r"\bnobody\b": "no one, nothing",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bare_ours\b|\bis_ours\b|_are_ours\b|_is_ours\b": "is_builtin",
    r"(normal|quant|initial|optim|vector|general|special|regular|serial|standard|synchron|organ|"
    r"recogn|summar|visual|local|final|categor|token|parametr|minim|maxim|random|character)"
    r"is(e[srd]?|ing|ation)\b": "-ize, -ization",
    r"\b(behaviour|colour|neighbour|favour|honour|grey|labelled|modelled|centre[ds]?\b)":
        "American spelling",
}  # fmt: skip


def texts() -> list[Path]:
    """Returns the files whose words are checked."""
    files = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*")]
    files += [
        ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
    ]
    files += [ROOT / "noxfile.py", ROOT / "conftest.py"]
    return [
        path
        for path in files
        if path.suffix in (".py", ".pyi", ".md")
        and not any(part in NOT_OURS for part in path.parts)
        and path.name != "glossary.md"
    ]


@pytest.mark.parametrize("pattern", REFUSED)
def test_no_file_uses_a_word_that_the_field_does_not(pattern: str):
    expression = re.compile(pattern, re.IGNORECASE)
    uses = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in texts()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if expression.search(line)
    ]
    if uses:
        message = "\n".join([f"write {REFUSED[pattern]!r} instead", *uses])
        pytest.fail(message, pytrace=False)


@pytest.mark.parametrize(
    "text",
    [
        "the short road", "roads", "the house", "on floor 2", "the public face", "class numbers",
        "beside it", "likewise", "it is told", "of one's own", "this is no layer", "shall be",
        "How the kernel begins", "Adds a loss of the kernel", "How much of the average stays",
        "what training makes small", "nobody", "mended", "are_ours", "normalisation", "behaviour",
    ],
)  # fmt: skip
def test_the_patterns_find_what_they_are_meant_for(text: str):
    assert [p for p in REFUSED if re.search(p, text, re.IGNORECASE)]


@pytest.mark.parametrize("text", ["x is None or", "there are no layers", "is no longer", "abroad"])
def test_the_patterns_leave_other_words_alone(text: str):
    assert not [p for p in REFUSED if re.search(p, text, re.IGNORECASE)]
