"""Where the names of points stand."""

from math import dist

from hypothesis import given, settings
from hypothesis import strategies as st

from sepcalc.render.charts.labels import RADIUS, Box, place_labels

SIZE = (270.0, 220.0)
points = st.lists(st.tuples(st.floats(5, 265), st.floats(5, 215)), min_size=1, max_size=8)


@settings(deadline=None, max_examples=25)
@given(points, st.data())
def test_names_stay_inside(at, data):
    """Every name lies within the plot, has the room that it needs, and is the same in the next run."""
    widths = [data.draw(st.floats(10, 110)) for _ in at]
    boxes = place_labels(at, widths, 11, SIZE)
    for box, width in zip(boxes, widths, strict=True):
        assert box.right - box.left == width or abs(box.right - box.left - width) < 1e-9
        assert min(box.left, box.top) >= -0.5
        assert box.right <= SIZE[0] + 0.5
        assert box.bottom <= SIZE[1] + 0.5
    assert boxes == place_labels(at, widths, 11, SIZE)


@settings(deadline=None, max_examples=25)
@given(st.integers(1, 6))
def test_the_same_point(count):
    """Names of points in one place lie beside each other, and not on each other."""
    boxes = place_labels([(100, 100)] * count, [50] * count, 11, SIZE)
    assert all(box.overlap(other) == 0 for place, box in enumerate(boxes) for other in boxes[:place])


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.sampled_from([(x, y) for x in range(20, 230, 60) for y in range(10, 220, 25)]), unique=True, min_size=2)
)
def test_where_there_is_room(at):
    """Far enough from each other and the edge, no name covers another, nor a point, and each is nearest to its own."""
    boxes = place_labels(at, [40] * len(at), 11, SIZE)
    marks = [Box(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in at]
    for place, (box, point) in enumerate(zip(boxes, at, strict=True)):
        assert all(box.overlap(other) == 0 for other in (*boxes[:place], *marks))
        assert min(at, key=lambda other: dist(other, box.nearest(other))) == point


def test_a_plot_too_small():
    """A name that fits nowhere stands beside its point all the same."""
    assert place_labels([(5, 5)], [500], 11, SIZE)[0].left > 5
