"""``docs/conventions.md``, written from the tables that the program counts with.

python docs/conventions_page.py > docs/conventions.md
"""

from __future__ import annotations

from collections.abc import Iterator

from sepcalc.conventions.counter_formulas import says
from sepcalc.conventions.counters import COUNTERS, Counter, Rules

INTRODUCTION = """\
# What other counters count

`sepcalc network SOURCE --as COUNTER` prints the total that another counter prints for the same network, its unit,
and its difference from ours in parts that add up exactly; `--as all` shows every counter, and `--published` says
which convention a published figure of a bundled network follows. [counting.md](counting.md#whose-number-is-it) shows
how to find out whose number a paper quotes, and which [traps](counting.md#traps-in-published-figures) there are.
Ours is the multiply-adds of convolutions, linear layers, matrix products and attention, each once; bias, norms,
activations and pooling are not in it.

A counter is a table from what it sees to a formula, for one release; the tables below are those that the program
counts with. What is not in a table counts as nothing there. `input` and `output` are numbers of elements of the
first input and the first output, with the batch; *positions* are the batch times the output's positions, the
input's for a transposed convolution. Where counters part:

* **Unit.** A MAC is two FLOPs; some call a MAC a flop.
* **Height.** A counter of modules hooks `nn.Module` classes and sees no function; one of functions replaces names
  in `torch`, `torch.nn.functional` and `torch.Tensor`, and sees neither `+` nor a function that a module kept when
  it was built; one of graphs reads what `torch.jit` traces; one of the dispatcher what runs below all of these.
* **Extras.** Bias, norms at one to five per element, activations, pooling, elementwise products.
* **Transposed convolutions** by input positions, or by output positions, which is stride times too many along each
  axis.

## When the total is exact

For PyTorch code (`module:callable`) in evaluation mode, as on a CPU with gradients on, which is how these tools run
a model unless told otherwise. `tests/conventions/test_oracles.py` holds every counter against the tool itself. For YAML
and ONNX every layer is taken for the module of its name, and a model's own code can differ. Known limits, for which the
total is not exact or is not given:

* An einsum of more than two tensors has no total in fvcore, calflops and DeepSpeed: they search a path for it with
  NumPy.
* torchprofile counts one for each product of two lengths that a model's code takes from a tensor's shape (`h * w`),
  since `torch.jit` traces such lengths as tensors; a run without that tracer does not show them. Those of
  `multi_head_attention_forward` are counted.
* fvcore and torchprofile leave out what nothing uses. The averaged weights of an attention layer are taken as
  unused; other unused results are counted here.
* Functions that call others inside PyTorch (`lp_pool2d`, `gumbel_softmax`) count by their own name alone.
* `torch.conv2d` is the same function as `torch.nn.functional.conv2d`, and is counted under that name.
* With gradients off, `nn.MultiheadAttention` and `nn.TransformerEncoderLayer` run as one kernel on a CPU, which the
  counters of the dispatcher and of graphs do not know.
* ptflops-aten adds the bias of an RNN's or GRU's first layer only where its input is one block of memory. An input is
  taken as one unless the layer itself has the batch first, also where a layer before has transposed it.
* Packed sequences, and recurrent layers with projections, have no total in counters of the dispatcher and in those that
  have a rule for recurrent modules.
* Parametrised or pruned weights in torchinfo, and deformable convolutions in ptflops, are not in the tables.
"""


def page() -> str:
    """The whole page."""
    return "\n".join((INTRODUCTION, *(line for counter in COUNTERS for line in _section(counter))))


def _section(counter: Counter) -> Iterator[str]:
    yield f"## {counter.title}\n"
    yield f"`{counter.call}`, in {counter.unit}s.\n"
    if counter.notes:
        for note in counter.notes:
            yield f"* {note.text[0].upper()}{note.text[1:]}."
        yield ""
    for rules in counter.rules:
        yield f"Sees {rules.sees}{', and divides their sum by the batch' if rules.per_example else ''}.\n"
        yield from _table(rules)


def _table(rules: Rules) -> Iterator[str]:
    """Names with the same formula share a row."""
    rows: dict[str, list[str]] = {}
    for name, formula in rules.table.items():
        rows.setdefault(says(formula), []).append(f"`{name}`")
    yield "| seen | counts as |"
    yield "| --- | --- |"
    for words, names in rows.items():
        yield f"| {', '.join(names)} | {words} |"
    yield ""


if __name__ == "__main__":
    print(page(), end="")
