"""Inputs as users write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sepcalc.core.errors import SepcalcError
from sepcalc.readers.inputs import DTYPES, Input, parse_input

INPUTS = st.builds(
    Input,
    shape=st.lists(st.integers(1, 30), min_size=1, max_size=5).map(tuple),
    dtype=st.sampled_from(DTYPES),
    name=st.none() | st.from_regex(r"[a-z_][a-z_.:/0-9]{0,8}", fullmatch=True),
)


@given(INPUTS)
def test_written(given_input):
    """An input is read from the text that it is written as."""
    assert parse_input(str(given_input)) == given_input


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected a shape like 1x3x224x224, ids=2x16 or 2x16:int64, got ''"),
        ("1x3xA", "expected a shape like 1x3x224x224, ids=2x16 or 2x16:int64, got '1x3xA'"),
        ("=1x3", "expected a shape like 1x3x224x224, ids=2x16 or 2x16:int64, got '=1x3'"),
        ("1x0", "expected a shape like 1x3x224x224, ids=2x16 or 2x16:int64, got '1x0'"),
        ("2x16:int46", "unknown type 'int46' in '2x16:int46'; did you mean 'int64'?"),
        (
            "100000x100000",
            "an input of 10,000,000,000 numbers is out of range; nothing above 1,000,000,000 is believed",
        ),
    ],
)
def test_faults(text, message):
    """What is no input is refused with what one looks like."""
    with pytest.raises(SepcalcError) as raised:
        parse_input(text)
    assert str(raised.value) == message
