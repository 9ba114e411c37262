"""Patterns match what `re` matches, and cannot be made to run for ages."""

import re
import time

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from keras_fn import _regex

ATOMS = st.sampled_from(
    ["a", "b", "/", ".", "[ab]", "[^a]", "\\w", "\\.", "^", "$", "[]a]", "[a\\]]"]
)
REPEATS = st.sampled_from(["*", "+", "?", "{2}", "{1,2}", "{,2}", "{1,}", "*?"])
TREES = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{}|{}".format, inner, inner),
        st.builds("(?:{}){}".format, inner, REPEATS),
        st.builds("({})".format, inner),
    ),
    max_leaves=6,
)  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=300)
@given(TREES, st.text("ab/.]", max_size=6))
def test_it_matches_what_re_matches(pattern, text):
    assert _regex.check(pattern, "test") == pattern
    assert _regex.fullmatch(pattern, text) == bool(re.fullmatch(pattern, text))
    assert _regex.search(pattern, text) == bool(re.search(pattern, text))


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*b", "(.*a){20}", "((a?){20}){20}x"])
def test_time_does_not_explode(pattern):
    start = time.perf_counter()
    _regex.check(pattern, "test")
    _regex.search(pattern, "a" * 200 + "!")
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    "pattern",
    [r"(a)\1", "(?=a)", "(?<!a)b", "a**", "(", ")", "[", "a" * 1001, "(" * 60 + ")" * 60, 3, None,
     "((a{99}){99}){99}", "\\", "*", r"\bword"],
)  # fmt: skip
def test_what_needs_backtracking_is_refused_from_files(pattern):
    with pytest.raises(ValueError, match="without backreferences"):
        _regex.check(pattern, "test")


def test_a_program_may_use_all_of_re():
    assert _regex.fullmatch(r"(a)\1", "aa")
    assert _regex.search(r"(?<!b)c", "ac")
