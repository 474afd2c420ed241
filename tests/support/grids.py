"""Random grids of convolutions."""

from hypothesis import strategies as st
from strategies import BIASES

WHOLE = {
    "c_in": st.integers(1, 40),
    "c_out": st.integers(1, 40),
    "k": st.integers(1, 6),
    "size": st.integers(1, 20),
    "stride": st.integers(1, 3),
    "groups": st.integers(1, 6),
    "depth_multiplier": st.integers(1, 3),
    "mid": st.one_of(st.integers(1, 50), st.sampled_from(["in", "out", "min", "max"])),
    "reduction": st.integers(1, 6),
    "expansion": st.integers(1, 6),
}


@st.composite
def grids(draw, keys=tuple(WHOLE)):
    """Several values of some quantities, numbers or one for each axis, and the settings that go with them."""
    axes = draw(st.integers(1, 3))
    lengths = {key: st.one_of(WHOLE[key], st.tuples(*[WHOLE[key]] * axes)) for key in ("k", "size", "stride")}
    values, room = {}, 60
    for key in keys:
        if key in ("c_in", "c_out", "k") or draw(st.booleans()):
            each = lengths.get(key, WHOLE[key])
            values[key] = draw(st.lists(each, min_size=1, max_size=min(4, room), unique=True))
            room //= len(values[key])
    settings = {
        "padding": draw(st.sampled_from(["same", "valid", 0, 1, 2])),
        "dilation": (draw(st.integers(1, 2)),) * axes,
        "bias": draw(st.sampled_from(BIASES)),
        "transposed": draw(st.booleans()),
    }
    return values, settings
