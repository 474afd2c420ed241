"""A line of a network file for every layer type, and lines with faults."""

from sepcalc.core.modules import ACTIVATIONS

EXAMPLES = {
    "conv": ("conv: {c_out: 8, k: 3}", (8, 6, 6), 288, 288 * 36),
    "separable": ("separable: {c_out: 8, k: 3}", (8, 6, 6), 36 + 32, 68 * 36),
    "spatial": ("spatial: {c_out: 8, k: 3}", (8, 6, 6), 3 * 4 * 4 + 3 * 4 * 8, 144 * 36),
    "depthwise": ("depthwise: {k: 3}", (4, 6, 6), 36, 36 * 36),
    "linear": ("linear: {c_out: 8, per_position: true}", (8, 6, 6), 32, 32 * 36),
    **{word: (word, (4, 6, 6), int(word == "prelu"), 0) for word in ACTIVATIONS},
    "norm": ("norm: batch", (4, 6, 6), 8, 0),
    "layer_scale": ("layer_scale", (4, 6, 6), 4, 0),
    "dropout": ("dropout: 0.2", (4, 6, 6), 0, 0),
    "maxpool": ("maxpool: 2", (4, 3, 3), 0, 0),
    "avgpool": ("avgpool: global", (4, 1, 1), 0, 0),
    "flatten": ("flatten", (144,), 0, 0),
    "upsample": ("upsample: 2", (4, 12, 12), 0, 0),
    "channel_shuffle": ("channel_shuffle: 2", (4, 6, 6), 0, 0),
    "split": ("split: 2", (2, 6, 6), 0, 0),
    "add": ("add: start", (4, 6, 6), 0, 0),
    "concat": ("concat: start", (8, 6, 6), 0, 0),
    "mul": ("mul: start", (4, 6, 6), 0, 0),
    "residual": ("residual: [depthwise: {k: 3}]", (4, 6, 6), 36, 36 * 36),
    "parallel": ("parallel: [[], [conv: {c_out: 2, k: 1}]]", (6, 6, 6), 8, 8 * 36),
    "operator": ("operator: {operator: clamp, params: 3}", (4, 6, 6), 3, 0),
    "uncounted": ("uncounted: {operator: fft, params: 3, c_out: 5, out: 2}", (5, 2, 2), 3, 0),
    "product": ("product: {operator: attention, params: 7, terms: [[4, 36, 36], [36, 4, 36]]}", (4, 6, 6), 7, 10_368),
}
"""A use of each word on 4×6×6: what it writes, its parameters and multiply-adds."""


LAYER_FAULTS = {
    "- conv: {k: 3}": "1:3: conv: c_out is missing; give a whole number of channels",
    "- conv": "1:3: conv: k is missing; give a whole number, or one per axis like 3x1 or [3, 1]",
    "- conv: 3": "1:3: conv: conv takes a mapping of arguments, not 3",
    "- relu: 3": "1:3: relu: relu takes a mapping of arguments, not 3",
    "- conv: {c_out: 8, k: 3, padding: smae}": (
        "1:35: conv: padding: expected same, valid, a whole number, or one per axis like 1x0 or [1, 0], got 'smae'"
    ),
    "- conv: {c_out: 8, k: 3x}": (
        "1:23: conv: k: expected a whole number, or one per axis like 3x1 or [3, 1], got '3x'"
    ),
    "- maxpool: all": (
        "1:3: maxpool: k: expected global, a whole number, or one per axis like 3x1 or [3, 1], got 'all'"
    ),
    "- conv: {c_out: 8, k: 3x3x3}": "1:23: conv: k 3x3x3 has 3 axes, the feature map has 2",
    "- conv: {c_out: 8, k: 99, padding: valid}": (
        "1:3: conv: kernel 99×99 leaves nothing of size 32×32 with padding 0×0; give a larger size or more padding"
    ),
    "- conv: {c_out: 8, k: 3, groups: 2}": "1:3: conv: c_in 3 is not divisible by groups 2; nearest: 2, 4",
    "- conv: {c_out: 8, k: 3, variant: dsw}": "1:35: conv: unknown variant 'dsw'; did you mean 'dw'?",
    "- separable: {c_out: 8, k: 3, variant: depthwise}": (
        "1:40: separable: separable is a variant already; write conv with variant: depthwise"
    ),
    "- conv: {c_out: 8, k: 3, expansion: 6}": "1:37: conv: expansion means nothing for standard; remove it",
    "- spatial: {c_out: 8, k: 3, depth_multiplier: 2}": (
        "1:47: spatial: depth_multiplier means nothing for spatial-separable; remove it"
    ),
    "- separable: {c_out: 9, k: 3, groups: 3}": (
        "1:39: separable: groups means nothing for depthwise-separable, which has groups of its own; remove it"
    ),
    "- conv: {c_out: 9, k: 3, groups: 3, variant: dw}": (
        "1:34: conv: groups means nothing for depthwise, which has groups of its own; remove it"
    ),
    "- conv: {c_out: 8, k: 3, shares: relu}": "1:3: conv: no earlier layer is called 'relu'; give a layer that name",
    "- conv: {c_out: 8, k: 3, c_in: 4}": (
        "1:32: conv: c_in 4 contradicts the 3 channels that reach it; remove c_in"
    ),
    "- conv: {c_out: 8, k: 3, size: 16}": (
        "1:32: conv: size 16 contradicts the 32×32 that reaches it; remove size"
    ),
    "- depthwise: {k: 3, c_out: 4}": "1:3: depthwise: depthwise cannot change 3 channels to 4",
    "- spatial: {k: 3x1, c_out: 4}": (
        "1:3: spatial: spatial separation needs two axes with k > 1, not kernel 3×1"
    ),
    "- conv: {k: 3, c_out: 4, variant: bottleneck, reduction: 5}": (
        "1:3: conv: reduction 5 leaves no channel of 4"
    ),
    "- linear: 10": (
        "1:3: linear: a feature map of 32×32 positions reaches this linear layer; "
        "put flatten or avgpool: global before it, or say per_position: true"
    ),
    "- linear": "1:3: linear: c_out is missing; give a whole number from 1 to 1,000,000,000",
    "- maxpool": "1:3: maxpool: give k or out, one of the two",
    "- avgpool: {k: 3, out: 7}": "1:3: avgpool: give k or out, one of the two",
    "- avgpool: {k: global, stride: 2}": "1:32: avgpool: stride means nothing without a window k; remove it",
    "- avgpool: {out: 7, padding: 1}": "1:30: avgpool: padding means nothing without a window k; remove it",
    "- maxpool: {k: global, ceil: true}": "1:30: maxpool: ceil means nothing without a window k; remove it",
    "- maxpool: {k: 2, padding: 2}": (
        "1:28: maxpool: padding 2 is more than half of the window 2; give at most 1"
    ),
    "- maxpool: 33": (
        "1:3: maxpool: window 33 is larger than the 32 positions that reach it; give a smaller k or padding"
    ),
    "- upsample": "1:3: upsample: give scale or out, one of the two",
    "- upsample: {scale: 2, out: 64}": "1:3: upsample: give scale or out, one of the two",
    "- upsample: 100000000": (
        "1:3: upsample: the output 3×3200000000×3200000000 is out of range; nothing above 1,000,000,000 is believed"
    ),
    "- channel_shuffle: 2": "1:3: channel_shuffle: 3 channels are not divisible by groups 2; choose a divisor",
    "- split: 2": "1:3: split: 3 channels cannot be split into 2 equal parts; choose a divisor",
    "- split: {parts: 3, part: 3}": "1:27: split: part 3 is not there; 3 parts count from 0 to 2",
    "- add: nothing": "1:3: add: no earlier layer is called 'nothing'; give a layer that name",
    "- relu: {from: nothing}": "1:3: relu: no earlier layer is called 'nothing'; give a layer that name",
    "- residual: relu": "1:3: residual: expected a list of layers, got 'relu'",
    "- residual: {body: [relu], shortcut: atuo}": (
        "1:38: residual: shortcut: expected auto, identity, optional or a list of layers, got 'atuo'"
    ),
    "- residual: {body: [flatten]}": (
        "1:3: residual: no projection takes 2 axes to 0; write the shortcut's layers"
    ),
    "- residual: {body: [maxpool: {k: 3, stride: 1}]}": (
        "1:3: residual: no stride takes 32×32 to 30×30; write the shortcut's layers"
    ),
    "- residual: {body: [maxpool: 2], shortcut: identity}": (
        "1:3: residual: add cannot join 3×16×16 and 3×32×32; give them equal shapes"
    ),
    "- parallel: []": "1:3: parallel: branches: expected a list of lists of layers, got []",
    "- parallel: relu": "1:3: parallel: branches: expected a list of lists of layers, got 'relu'",
    "- parallel: [relu]": (
        "1:3: parallel: a branch is a list of layers, or {name: list of layers}, not 'relu'"
    ),
    "- parallel: [{a: relu}]": (
        "1:3: parallel: a branch is a list of layers, or {name: list of layers}, not {a: relu}"
    ),
    "- parallel: [{a: [], b: []}]": (
        "1:3: parallel: a branch is a list of layers, or {name: list of layers}, not {a: [], b: []}"
    ),
    "- parallel: [[maxpool: 2], []]": (
        "1:3: parallel: concat cannot join 3×16×16 and 3×32×32; give them equal sizes"
    ),
    "- parallel: {split: true, branches: [[], []]}": (
        "1:21: parallel: 3 channels cannot be split among 2 branches; list the parts"
    ),
    "- parallel: {split: [1, 1], branches: [[], []]}": (
        "1:21: parallel: split [1, 1] does not hand 3 channels to 2 branches; make them add up"
    ),
    "- operator": "1:3: operator: operator is missing; give text",
}  # fmt: skip
