"""Network files: in the forms that the design shows, and with random changes."""

import re

from hypothesis import strategies as st

from sepcalc.readers.yaml.reader import bundled

PLAIN = """
# a plain list: every layer says what it is; this is what importers write
name: my-net
layers:
  - {name: conv1, c_in: 3,  c_out: 64,  k: 3, size: 224}
  - {name: conv2, c_in: 64, c_out: 128, k: 3, size: 112}
"""


INFERRED = """
# a network: shapes are inferred from the input, blocks are reused
name: MobileNet v1
source: arXiv:1704.04861, table 1
input: {channels: 3, size: 224}
defaults: {norm: batch, act: relu}
layers:
  - conv: {name: stem, c_out: 32, k: 3, stride: 2}
  - separable: {c_out: 64, k: 3}
  - separable: {c_out: 512, k: 3, repeat: 5}
  - avgpool: global
  - linear: {c_out: 1000, bias: true}
"""


STRUCTURED = """
input: {channels: 3, size: 56}
# structure: branches that join, blocks with arguments
blocks:
  bottleneck:
    args: {width: null, stride: 1}
    layers:
      - residual:
          body:
            - conv: {c_out: $width, k: 1}
            - conv: {c_out: $width, k: 3, stride: $stride}
            - conv: {c_out: 4*$width, k: 1, act: none}
          shortcut: auto            # a 1×1 projection where the shape changes
      - relu
layers:
  - bottleneck: {width: 64, repeat: 3}
  - parallel: {join: concat, branches: [[relu], [conv: {c_out: 64, k: 1}]]}     # join: add, concat or mul
"""


LANGUAGE = """
conv separable residual parallel relu linear avgpool global maxpool c_out k stride body branches name from with add
repeat first layers input channels size blocks args defaults norm batch type cell $w 2*$w $c_in shares variant dws
groups bias true no null same valid auto split scale up p 0 1 3 8 -1 3x1 1.5 .inf 0x1 ~ '' &a *a << !!int !x | >
--- # % @ é
"""
WORDS = [*LANGUAGE.split(), '"\\n"', "\t", "\x85", "\u2028"]


SIGNS = [": ", ":", ", ", "- ", "[", "]", "{", "}", "\n", "\n  ", "\n    ", "\n- ", " ", "? "]


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """The text of a bundled network with a few random changes."""
    text = draw(st.sampled_from(sorted(bundled().values()))).read_text("utf-8")
    for _ in range(draw(st.integers(1, 4))):
        lines = text.splitlines(keepends=True)
        at = draw(st.integers(0, len(text) - 1))
        line = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["delete", "insert", "replace", "line", "swap", "number", "indent"])):
            case "delete":
                text = text[:at] + text[at + draw(st.integers(1, 20)) :]
            case "insert":
                text = text[:at] + draw(st.sampled_from(WORDS + SIGNS)) + text[at:]
            case "replace":
                text = text[:at] + draw(st.characters()) + text[at + 1 :]
            case "line":
                text = "".join([*lines[:line], *lines[line + 1 :]])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[line], lines[other] = lines[other], lines[line]
                text = "".join(lines)
            case "number":
                found = list(re.finditer(r"\b\d+\b", text))
                where = draw(st.sampled_from(found))
                text = text[: where.start()] + str(draw(st.integers(-2, 99))) + text[where.end() :]
            case "indent":
                lines[line] = draw(st.sampled_from(["  ", "\t", "- "])) + lines[line]
                text = "".join(lines)
        if not text:
            break
    return text
