import random
from itertools import pairwise

import pytest

from keras_fn.visualization.sugiyama_layout import NODE_SEP, RANK_SEP, Edge, compute_layout

SIZE = (2.0, 0.5)


def layout_of(edges, size=SIZE, **options):
    keys = dict.fromkeys(key for edge in edges for key in edge)
    return compute_layout({key: size for key in keys}, [Edge(*edge) for edge in edges], **options)


def overlaps(layout, sizes):
    """Returns the pairs of boxes that cover each other."""
    boxes = [(x, y, *sizes[key]) for key, (x, y) in layout.centers.items()]
    return [
        (a, b)
        for i, a in enumerate(boxes)
        for b in boxes[:i]
        if abs(a[0] - b[0]) < (a[2] + b[2]) / 2 and abs(a[1] - b[1]) < (a[3] + b[3]) / 2
    ]


def crosses_a_box(layout, size):
    """Whether a route runs through the inside of a box."""
    for route in layout.routes:
        for a, b in pairwise(route):
            for x, y in layout.centers.values():
                left, right = sorted((a.x, b.x))
                top, bottom = sorted((a.y, b.y))
                inside_x = right > x - size[0] / 2 + 0.01 and left < x + size[0] / 2 - 0.01
                inside_y = bottom > y - size[1] / 2 + 0.01 and top < y + size[1] / 2 - 0.01
                if inside_x and inside_y:
                    return True
    return False


def test_a_chain_is_a_straight_line():
    layout = layout_of([("a", "b"), ("b", "c")])
    assert {x for x, _ in layout.centers.values()} == {1.0}
    assert layout.width == 2.0 and layout.height == pytest.approx(3 * 0.5 + 2 * RANK_SEP)
    assert all(p.x == 1.0 for route in layout.routes for p in route)


def test_producers_are_above_consumers_and_sources_near_them():
    layout = layout_of([("a", "b"), ("b", "c"), ("late", "c")])
    y = {key: y for key, (_, y) in layout.centers.items()}
    assert y["a"] < y["b"] < y["c"] and y["late"] == y["b"]


def test_a_skip_goes_around_and_the_path_stays_straight():
    layout = layout_of([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")])
    xs = [layout.centers[key][0] for key in "abcd"]
    assert max(xs) - min(xs) < 0.02
    assert not crosses_a_box(layout, SIZE)
    assert max(p.x for p in layout.routes[2]) > 2.0


def test_branches_are_centered():
    layout = layout_of([("a", "l"), ("a", "r"), ("l", "z"), ("r", "z")])
    x = {key: x for key, (x, _) in layout.centers.items()}
    assert x["a"] == pytest.approx((x["l"] + x["r"]) / 2, abs=0.02) == x["z"]
    assert x["r"] - x["l"] == pytest.approx(2.0 + NODE_SEP, abs=0.02)


def test_avoidable_crossings_are_avoided():
    layout = layout_of([("a", "1"), ("b", "2"), ("b", "1"), ("c", "3"), ("a", "3")])
    x = {key: x for key, (x, _) in layout.centers.items()}
    edges = [(x[a], x[b]) for a, b in [("a", "1"), ("b", "2"), ("b", "1"), ("c", "3"), ("a", "3")]]
    assert not any((a - c) * (b - d) < 0 for a, b in edges for c, d in edges)


def test_a_cycle_has_one_edge_that_goes_up():
    layout = layout_of([("a", "b"), ("b", "c"), ("c", "a")])
    rising = [route for route in layout.routes if route[0].y > route[-1].y]
    assert len(rising) == 1 and not overlaps(layout, dict.fromkeys("abc", SIZE))


def test_a_loop_is_a_handle_at_the_side():
    layout = compute_layout({"a": SIZE}, [Edge("a", "a")])
    (route,) = layout.routes
    assert {route[0].x, route[-1].x} == {2.0} and max(p.x for p in route) > 2.0


@pytest.mark.parametrize("seed", range(12))
def test_random_graphs_have_no_overlaps_and_whole_routes(seed):
    rng = random.Random(seed)
    size = rng.randint(5, 40)
    edges = [(rng.randrange(i), i) for i in range(1, size)]
    edges += [tuple(rng.sample(range(size), 2)) for _ in range(size // 2)]
    sizes = {i: (rng.uniform(0.5, 3), rng.uniform(0.3, 1)) for i in range(size)}
    layout = compute_layout(sizes, [Edge(*edge) for edge in edges])
    assert not overlaps(layout, sizes)
    for (a, b), route in zip(edges, layout.routes, strict=True):
        for end, key in ((route[0], a), (route[-1], b)):
            x, y = layout.centers[key]
            assert end.x == pytest.approx(x) and abs(end.y - y) == pytest.approx(sizes[key][1] / 2)
    for x, y in layout.centers.values():
        assert 0 <= x <= layout.width and 0 <= y <= layout.height


def test_a_long_chain_wraps_into_columns():
    layout = layout_of([(i, i + 1) for i in range(999)])
    assert len({round(x, 3) for x, _ in layout.centers.values()}) > 5
    assert 0.5 < layout.width / layout.height < 2
    assert not crosses_a_box(layout, SIZE)


def test_very_many_long_edges_terminate():
    edges = [(i, i + 1) for i in range(199)] + [
        (i, j) for i in range(200) for j in range(i + 2, 200)
    ]
    layout = layout_of(edges)
    assert len(layout.routes) == len(edges) and all(len(route) > 1 for route in layout.routes)


def test_an_empty_graph_has_a_layout():
    layout = compute_layout({}, [])
    assert layout.centers == {} and layout.routes == []
