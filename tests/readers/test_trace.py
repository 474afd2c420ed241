"""What a trace says of itself."""

from sepcalc.readers.trace import Module, ModuleCall, Operation, Parameter, Trace, Use

WEIGHT = Parameter(name="conv.weight", shape=(8, 3, 3, 3))
BIAS = Parameter(name="conv.bias", shape=(8,))
MODEL = Module(path="", qualname="mine.Net", children=(("conv", 1),))
CONV = Module(path="conv", qualname="torch.nn.modules.conv.Conv2d", own=(("weight", 0), ("bias", 1)))


def _trace(*uses: Use) -> Trace:
    calls = (
        ModuleCall(module=0, parent=None, depth=0, inputs=((1, 3, 8, 8),), outputs=((1, 8, 6, 6),)),
        ModuleCall(module=1, parent=0, depth=1, inputs=((1, 3, 8, 8),), outputs=((1, 8, 6, 6),)),
    )
    conv = Operation(word="conv", function="torch.conv2d", call=1, inputs=((1, 3, 8, 8),), outputs=(), uses=uses)
    relu = Operation(word="relu", function="torch.relu", call=0, inputs=((1, 8, 6, 6),), outputs=())
    return Trace(
        name="net",
        inputs=((1, 3, 8, 8),),
        parameters=(WEIGHT, BIAS),
        modules=(MODEL, CONV),
        calls=calls,
        operations=(conv, relu),
    )


def test_params():
    """All parameters are counted once, whether an operator uses them or not."""
    assert _trace().params == 8 * 3 * 3 * 3 + 8


def test_unused():
    """What no operator reads is unused, and so is the rest of a parameter that is read in part."""
    trace = _trace(Use(parameter=0, elements=100, new=100, role="weight"))
    assert list(trace.unused()) == [(WEIGHT, 116), (BIAS, 8)]


def test_nothing_unused():
    """A parameter that is read wholly is not unused, however often it is read."""
    whole = [Use(parameter=0, elements=216, new=216), Use(parameter=1, elements=8, new=8)]
    assert not list(_trace(*whole, Use(parameter=1, elements=8, new=0)).unused())


def test_operation_params():
    """An operator owns the parameters that no earlier one used."""
    (conv, relu) = _trace(Use(parameter=0, elements=216, new=216), Use(parameter=1, elements=8, new=0)).operations
    assert (conv.params, relu.params) == (216, 0)


def test_module():
    """A module knows its class's name, and whether it holds others."""
    assert (CONV.cls, CONV.leaf) == ("Conv2d", True)
    assert (MODEL.cls, MODEL.leaf) == ("Net", False)
