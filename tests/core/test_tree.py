"""Nested structures: ours keeps the order of dicts, the public one sorts keys as Keras does."""

from collections import OrderedDict, defaultdict, deque, namedtuple

import pytest

from keras_fn import tree as public
from keras_fn.core import tree

Point = namedtuple("Point", ["y", "x"])
NESTED = {"b": [1, None], "a": (2, {"z": 3, "c": 4}), "p": Point(5, 6)}


def test_our_leaves_stand_in_the_order_given():
    assert tree.flatten(NESTED) == [1, None, 2, 3, 4, 5, 6]
    assert tree.flatten(7) == [7] and tree.flatten([]) == [] and tree.flatten(None) == [None]


def test_public_leaves_stand_in_the_order_of_sorted_keys():
    assert public.flatten(NESTED) == [2, 4, 3, 1, None, 5, 6]
    # An OrderedDict keeps its own order, in Keras too.
    assert public.flatten(OrderedDict([("b", 1), ("a", 2)])) == [1, 2]


@pytest.mark.parametrize("module", [tree, public])
def test_mapping_keeps_structure_types_and_none(module):
    result = module.map_structure(lambda x: x if x is None else x * 10, NESTED)
    assert result == {"b": [10, None], "a": (20, {"z": 30, "c": 40}), "p": Point(50, 60)}
    assert list(result) == list(NESTED) or module is public
    assert type(result["p"]) is Point and type(result["a"]) is tuple


def test_mapping_two_structures_pairs_dicts_by_key():
    pairs = tree.map_structure(lambda a, b: (a, b), {"x": 1, "y": 2}, {"y": 20, "x": 10})
    assert pairs == {"x": (1, 10), "y": (2, 20)}
    assert public.map_structure(max, {"x": 1, "y": 2}, {"y": 20, "x": 10}) == {"x": 10, "y": 20}


@pytest.mark.parametrize("module", [tree, public])
def test_structures_that_differ_cannot_be_mapped_together(module):
    for other in ({"x": 1}, [1, 2, 3], (1, 2)):
        with pytest.raises((ValueError, TypeError)):
            module.map_structure(lambda a, b: a, [1, 2], other)


def test_packing_is_the_inverse_of_flattening():
    leaves = [f"leaf {i}" for i in range(7)]
    assert tree.flatten(tree.unflatten(NESTED, leaves)) == leaves
    assert public.flatten(public.pack_sequence_as(NESTED, leaves)) == leaves
    with pytest.raises(ValueError, match="7 values, as the structure has leaves"):
        public.pack_sequence_as(NESTED, [1, 2])


def test_paths_lead_to_the_leaves_in_order():
    assert tree.paths({"b": [1], "a": 2}) == [("b", 0), ("a",)]
    assert public.flatten_with_path({"b": [1], "a": 2}) == [(("a",), 2), (("b", 0), 1)]


def test_what_is_nested():
    for container in ([], (), {}, Point(1, 2)):
        assert tree.is_nested(container) and public.is_nested(container)
    for leaf in (None, 1, "text"):
        assert not tree.is_nested(leaf) and not public.is_nested(leaf)


def test_same_structure_and_same_paths():
    public.assert_same_structure({"a": [1, 2]}, {"a": [3, 4]})
    with pytest.raises(ValueError, match="expected: the structure"):
        public.assert_same_structure([1, 2], (1, 2))
    public.assert_same_paths([1, 2], (3, 4))
    with pytest.raises(ValueError, match=r"only in the first \[\(0,\)\], only in the second \[\]"):
        public.assert_same_paths([1], [])


def test_traverse_replaces_parts_from_the_top_or_the_bottom():
    def shorten(part):
        return len(part) if isinstance(part, list) else None

    assert public.traverse(shorten, {"a": [1, [2]]}) == {"a": 2}
    assert public.traverse(shorten, [[1], [2, 3]], top_down=False) == 2
    drop = lambda part: public.MAP_TO_NONE if part == 1 else None  # noqa: E731
    assert public.traverse(drop, [1, 2, Point(1, 2)]) == [None, 2, Point(None, 2)]


def test_mapping_up_to_a_shallow_structure():
    assert public.map_structure_up_to([0, 0], sum, [[1, 2], (3, 4)]) == [3, 7]


def test_shapes_and_lists():
    shapes = {"a": (None, 3), "b": [(1,), [2, 2]]}
    assert public.map_shape_structure(len, shapes) == {"a": 2, "b": [1, 2]}
    mixed = [1, {"a": [2]}, Point([3], 4)]
    assert public.lists_to_tuples(mixed) == (1, {"a": (2,)}, Point((3,), 4))


def test_public_containers_are_those_of_keras():
    Counter, Queue = defaultdict(list, {"k": [1]}), deque([1, [2]], maxlen=3)
    for container in (Counter, Queue, OrderedDict(a=1), Point(1, 2)):
        assert public.is_nested(container)
    assert public.lists_to_tuples(Queue) == deque([1, (2,)]) and Queue[1] == [2]
    assert public.lists_to_tuples(Point(1, [2, [3]])) == Point(1, (2, (3,)))
    result = public.traverse(lambda x: x + 1 if isinstance(x, int) else None, Queue)
    assert result == deque([2, [3]]) and result.maxlen == 3
    kept = public.traverse(lambda x: None, OrderedDict([("b", 1), ("a", [2])]))
    assert type(kept) is OrderedDict and list(kept) == ["b", "a"]
    assert type(public.map_structure(str, Counter)) is defaultdict
    for leaf in ({1}, range(2), "ab", b"ab", None):
        assert not public.is_nested(leaf) and public.flatten(leaf) == [leaf]


def test_public_shapes_are_found_in_any_container():
    shapes = Point((None, 3), {"a": [(1,), [2, None]]})
    assert public.map_shape_structure(len, shapes) == Point(2, {"a": [1, 2]})
    assert public.map_shape_structure(sum, OrderedDict(a=(1, 2))) == OrderedDict(a=3)


@pytest.mark.parametrize(
    ("order", "top_down"),
    [
        ([[1, {"a": [2]}], 1, {"a": [2]}, [2], 2], True),
        ([1, 2, [2], {"a": [2]}, [1, {"a": [2]}]], False),
    ],
)
def test_public_traversal_visits_containers_before_or_after_their_parts(order, top_down):
    seen = []
    public.traverse(seen.append, [1, {"a": [2]}], top_down=top_down)
    assert seen == order


def test_public_structures_are_the_same_if_their_types_are_but_for_dicts():
    public.assert_same_structure({"a": [1]}, OrderedDict(a=[2]))
    public.assert_same_structure(defaultdict(list, a=1), {"a": 2})
    for a, b in (
        (1, [1]), ([1], 1), ([1], [[1]]), ([[1]], [1]), ([1], (1,)), ({"a": 1}, {"b": 1}),
        (Point(1, 2), (1, 2)), ([1], deque([1])), ([1], [1, 2]), (None, []),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"tree\.assert_same_structure"):
            public.assert_same_structure(a, b)
        with pytest.raises(ValueError, match=r"."):
            public.map_structure(lambda x, y: x, a, b)
    public.assert_same_paths([1, 2], deque([1, 2]))
    with pytest.warns(DeprecationWarning, match="check_types"):
        public.assert_same_structure([1], [2], check_types=False)


def test_public_mapping_up_to_a_shallow_structure():
    assert public.map_structure_up_to([0, None], str, [[1], (2, 3)]) == ["[1]", "(2, 3)"]
    assert public.map_structure_up_to({"a": 0}, max, {"a": 1}, {"a": 5}) == {"a": 5}
    with pytest.raises(ValueError, match=r"."):
        public.map_structure_up_to([0, [0]], str, [1, 2])
    with pytest.raises(ValueError, match=r"."):
        public.map_structure_up_to([0], str)


def test_the_same_structure_in_any_order_of_keys():
    assert tree.is_same_structure({"a": 1, "b": [2]}, {"b": [3], "a": 4})
    for other in ({"a": 1}, {"a": 1, "b": (2,)}, [1, [2]]):
        assert not tree.is_same_structure({"a": 1, "b": [2]}, other)
