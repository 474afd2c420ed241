"""Derivations: right for every variant, and printed as they are derived."""

import re
from fractions import Fraction
from html import unescape

import pytest
from derivations import DOCUMENTS, fragment
from hypothesis import given
from hypothesis import strategies as st
from strategies import bound, open_specs, randomly, specs

from sepcalc import ConvSpec, SepcalcError, choose, compare
from sepcalc.core.table import Column
from sepcalc.core.variants import all_variants, get
from sepcalc.explain.derivation import explain_layer
from sepcalc.explain.prose import for_html, render_explanation
from sepcalc.explain.symbols import UNICODE, write
from sepcalc.render.cells import human

EVERY = [pytest.param(variant, id=variant.name) for variant in all_variants()]
LAYER = ConvSpec.of(64, 128, k=3, size=56)
FORMATS = ["terminal", "markdown", "latex", "html"]


def derive(spec, *names, **options):
    """The explanation of ``spec`` in the variants called ``names``, and its sections by name."""
    explanation = explain_layer(compare(spec, choose(names, options)))
    return explanation, {section.name: section for section in explanation.sections}


def shown(explanation, form):
    """The explanation in any of the formats, in a line as long as need be."""
    return for_html(explanation) if form == "html" else render_explanation(explanation, form, width=100_000)


def closed(section):
    """The closed forms of a section's ratios, as text."""
    return [ratio.closed and write(ratio.closed, UNICODE) for ratio in section.ratios]


@st.composite
def comparisons(draw, variant):
    """A convolution, sized or open, beside ``variant`` with some choice of its options."""
    return compare(draw(st.one_of(specs(), open_specs())), [draw(bound(variant))])


@pytest.mark.parametrize("variant", EVERY)
@randomly(60)
@given(data=st.data())
def test_formulas_are_worth_what_the_stages_cost(variant, data):
    """Each formula at its numbers is the stage's params or MACs, exactly, and each closed form the ratio."""
    comparison = data.draw(comparisons(variant))
    explanation = explain_layer(comparison)
    values = {"D_F": 1, **explanation.values}
    for candidate, section in zip(comparison.candidates, explanation.sections, strict=True):
        assert section.why_not == candidate.why_not
        assert bool(section.derivations) == candidate.applies
        for derivation, costs in zip(section.derivations, expected(candidate), strict=False):
            assert [line.formula.at(values) for line in derivation.stages] == costs
            assert [line.result.at(values) for line in derivation.stages] == costs
            assert derivation.formula.at(values) == derivation.result.at(values) == sum(costs)
        for ratio in section.ratios:
            assert ratio.total.at(values) / ratio.standard.at(values) == ratio.value
            assert ratio.value in (1 / comparison.params_reduction(candidate), 1 / comparison.macs_reduction(candidate))
            if ratio.closed:
                assert ratio.closed.at(values) == sum(part.value for part in ratio.parts) == ratio.value
                assert sum(part.closed.at(values) for part in ratio.parts) == ratio.value


def expected(candidate):
    """What the stages of ``candidate`` cost: parameters, then multiply-adds (per position where the size is open)."""
    sized = candidate.applies and candidate.out_size is not None
    return (
        [stage.params for stage in candidate.stages],
        [stage.macs if sized else stage.weights for stage in candidate.stages],
    )


@pytest.mark.parametrize("variant", EVERY)
@randomly(30)
@given(data=st.data())
def test_ratios_have_closed_forms(variant, data):
    """Every ratio is a sum of products, but for that of the parameters where there are biases."""
    comparison = data.draw(comparisons(variant))
    for section in explain_layer(comparison).sections[1:]:
        for ratio in section.ratios:
            assert (ratio.closed is None) == (comparison.spec.bias != "none" and ratio.count == "parameters")


@pytest.mark.parametrize("variant", EVERY)
@pytest.mark.parametrize("form", FORMATS)
@randomly(15)
@given(data=st.data())
def test_printed_equations_hold(form, variant, data):
    """Each equation as printed, read back and calculated, has the same value on all its sides."""
    comparison = data.draw(comparisons(variant))
    explanation = explain_layer(comparison)
    found = equations(shown(explanation, form), form)
    lines = sum(len(derivation.stages) for section in explanation.sections for derivation in section.derivations)
    assert len(found) >= lines + sum(len(section.ratios) for section in explanation.sections)
    for sides in found:
        exact = [calculated(side, {"D_F": 1, **explanation.values}) for side in sides if "%" not in side]
        assert exact == exact[:1] * len(exact), sides
        rounded = [side for side in sides if "%" in side]
        assert all(side == human(exact[0], Column(key="", title="", kind="share")) for side in rounded)


def equations(text, form):
    """The sides of every equation that stands on its own in ``text``, in plain notation."""
    return [[side for side in line.split(" = ") if side] for line in READERS[form](text)]


def from_terminal(text):
    """Equations of an explanation for the terminal, which is wide enough for each to be one line."""
    for line in text.splitlines():
        if line.startswith("    ") and " = " in line:
            labelled = re.sub(r" += ", " = ", re.sub(r"^.*?\S  +(?!=)", "", line.strip()))
            yield labelled.split(", reduction")[0]


def from_markdown(text):
    """Equations of an explanation in Markdown, each an entry of a list or a paragraph."""
    for line in text.splitlines():
        if re.match(r"- [^$]|\*\*Ratio", line):
            plain = line.split(": ", 1)[1].split(", reduction")[0].replace("$", "").replace("'", "′")
            yield re.sub(r"\^(?:(\d)|\{(\d+)\})", lambda power: f"**{power[1] or power[2]}", plain)


def from_latex(text):
    """Equations of an explanation in LaTeX, without its commands."""
    for block in re.findall(r"\\begin\{align\*\}\n(.*?)\n\\end", text, re.DOTALL):
        whole = re.sub(r"(?: \\\\)?\n *&(?:\\quad)? ?=", " =", block)
        whole = re.sub(r"(?:&& )?\\text\{[^}]*\}|&", "", whole).replace("{,}", ",").replace("\\,\\%", " %")
        whole = re.sub(r"\^(?:(\d)|\{(\d+)\})", lambda power: f"**{power[1] or power[2]}", whole)
        whole = whole.replace(r" \cdot ", "·").replace("'", "′")
        while r"\frac" in whole:
            whole = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", whole)
        yield from (re.sub(" +", " ", line).strip(" =") for line in whole.split("\\\\\n"))


def from_html(text):
    """Equations of an explanation in HTML: rows of a table, and a paragraph for each ratio."""
    for line in re.findall(r'<tr>.*?</th>(.*)</tr>|<p class="equation">(.*), reduction', text):
        whole = "".join(line)
        while "<mfrac>" in whole:
            part = r"<mrow>((?:(?!</?mrow>).)*)</mrow>"
            whole = re.sub(f"<mfrac>{part}{part}</mfrac>", r"((\1)/(\2))", whole)
        whole = re.sub(r"<msub>(.*?)<mi>(\w)</mi></msub>", r"\1_\2", whole)
        whole = re.sub(r"<msup>((?:(?!<msup>).)*?)<mn>(\d+)</mn></msup>", r"\1**\2", whole)
        yield re.sub(" +", " ", re.sub("</?td>", " ", re.sub("</?m[^>]*>", "", whole))).strip()


READERS = {"terminal": from_terminal, "markdown": from_markdown, "latex": from_latex, "html": from_html}


def calculated(side, values):
    """The exact value of one side of an equation."""
    raised = re.sub("[⁰¹²³⁴-⁹]+", lambda power: f"**{int(power[0].translate(DIGITS))}", side.replace("·", "*"))
    exact = re.sub(
        r"([A-Z](?:_\w)?′?)|(\d[\d,]*)",
        lambda found: f"F({values[found[1]] if found[1] else found[2].replace(',', '')})",
        raised,
    )
    return eval(exact, {"F": Fraction})  # noqa: S307 - sums and products that the test itself put together


DIGITS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")


@randomly(100)
@given(spec=st.one_of(specs(), open_specs()), variants=st.tuples(*map(bound, all_variants())))
def test_every_name_is_defined(spec, variants):
    """The legend knows each name that a formula uses, and no name twice."""
    explanation = explain_layer(compare(spec, variants))
    defined = [each.name for each in explanation.legend]
    used = {name for line in lines_of(explanation) for name in line.formula.names}
    assert used <= set(defined)
    assert len(defined) == len(set(defined))


def lines_of(explanation):
    """The stages of all variants."""
    return [line for section in explanation.sections for each in section.derivations for line in each.stages]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("depthwise-separable", "1/N + 1/D_K²"),
        ("spatial-separable", "M/(D_K·N) + 1/D_K"),
        ("depthwise", "1/M"),
        ("depthwise-spatial", "2/(D_K·N) + 1/D_K²"),
        ("blueprint-separable", "1/D_K² + 1/M"),
        ("grouped", "1/G"),
        ("bottleneck", "1/(4·D_K²) + N/(16·M) + N/(4·D_K²·M)"),
        ("inverted-bottleneck", "6·M/(D_K²·N) + 6/N + 6/D_K²"),
    ],
)
def test_closed_forms_are_those_of_the_papers(name, form):
    """At stride 1 parameters and multiply-adds have one and the same ratio."""
    (ratio,) = derive(LAYER, name, groups=4)[1][name].ratios
    assert ratio.count == "parameters and multiply-adds alike"
    assert write(ratio.closed, UNICODE) == form


def test_as_many_channels_in_as_out():
    """64 → 64: 36,864 parameters fall to 4,672 = 1/N + 1/D_K² of them, with N and M apart."""
    _, sections = derive(ConvSpec.of(64, 64, k=3))
    separable = sections["depthwise-separable"]
    assert [write(each.derivations[0].result, UNICODE) for each in sections.values()] == ["36,864", "4,672", "24,576"]
    assert write(separable.derivations[0].formula, UNICODE) == "D_K²·M + M·N"
    assert (closed(separable), separable.ratios[0].value) == (["1/N + 1/D_K²"], Fraction(4672, 36864))


def stage_formulas(section):
    """The formulas of a section's multiply-adds, stage by stage."""
    return [write(line.formula, UNICODE, spell=True) for line in section.derivations[1].stages]


def test_a_stride_gives_the_output_its_own_length():
    """D_F is the map at the input, D_G at the output; between spatial stages one axis has each."""
    explanation, sections = derive(ConvSpec.of(64, 128, k=3, size=56, stride=2), "dws", "sps", "bsconv")
    assert explanation.values == {"M": 64, "N": 128, "D_K": 3, "D_F": 56, "D_G": 28}
    assert stage_formulas(sections["depthwise-separable"]) == ["D_K·D_K·M·D_G·D_G", "M·N·D_G·D_G"]
    assert stage_formulas(sections["spatial-separable"]) == ["D_K·M·M·D_F·D_G", "D_K·M·N·D_G·D_G"]
    assert closed(sections["spatial-separable"]) == ["M/(D_K·N) + 1/D_K", "M·D_F/(D_K·N·D_G) + 1/D_K"]
    assert closed(sections["blueprint-separable"]) == ["1/D_K² + 1/M", "D_F²/(D_K²·D_G²) + 1/M"]


def test_valid_padding_gives_the_output_its_own_length():
    """Wang's example, 12×12 to 8×8 without padding, is 4,800 + 49,152 multiply-adds."""
    explanation, sections = derive(ConvSpec.of(3, 256, k=5, size=12, padding="valid"))
    assert (explanation.values["D_F"], explanation.values["D_G"]) == (12, 8)
    separable = sections["depthwise-separable"].derivations[1]
    assert [write(line.result, UNICODE) for line in separable.stages] == ["4,800", "49,152"]
    assert stage_formulas(sections["depthwise-separable"]) == ["D_K·D_K·M·D_G·D_G", "M·N·D_G·D_G"]


def test_a_transposed_convolution_pays_for_its_input():
    """The transposed stage counts positions of its input, the pointwise one after it those of the output."""
    _, sections = derive(ConvSpec.of(8, 4, k=3, size=10, stride=2, transposed=True))
    assert stage_formulas(sections["standard"]) == ["D_K·D_K·M·N·D_F·D_F"]
    assert stage_formulas(sections["depthwise-separable"]) == ["D_K·D_K·M·D_F·D_F", "M·N·D_G·D_G"]
    assert sections["standard"].derivations[0].stages[0].label == "conv 3×3 transposed"


@pytest.mark.parametrize(
    ("k", "size", "stride", "form"),
    [
        ((3, 5), (14, 20), 1, "K_h·K_w·M·N·H·W"),
        ((3, 3), (14, 20), (2, 1), "D_K·D_K·M·N·H′·W"),
        ((3, 5), (14, 14), 1, "K_h·K_w·M·N·D_F·D_F"),
        ((3, 3), (14, 14), (1, 2), "D_K·D_K·M·N·H·W′"),
        ((3, 5, 5), (8, 14, 14), 2, "K_t·K_h·K_w·M·N·T′·H′·W′"),
        ((3, 3, 3), (8, 8, 8), 1, "D_K·D_K·D_K·M·N·D_F·D_F·D_F"),
        ((7,), (100,), 2, "D_K·M·N·D_G"),
    ],
)
def test_axes_that_differ_have_names_of_their_own(k, size, stride, form):
    """Kernel and map are square on their own account; an axis that keeps its length keeps its name."""
    _, sections = derive(ConvSpec.of(4, 8, k=k, size=size, stride=stride), "std")
    assert stage_formulas(sections["standard"]) == [form]


def test_options_are_names_or_numbers():
    """A rank is R and groups are G; factors stand as numbers, and so does a width that was rounded."""
    explanation, sections = derive(
        ConvSpec.of(8, 10, k=3), "all", mid=6, groups=2, depth_multiplier=3, expansion=4, reduction=4
    )
    assert (explanation.values["R"], explanation.values["G"]) == (6, 2)
    channels = {name: [write(each, UNICODE) for each in section.channels] for name, section in sections.items()}
    assert channels["spatial-separable"] == ["M", "R", "N"]
    assert channels["depthwise-separable"] == ["M", "3·M", "N"]
    assert channels["inverted-bottleneck"] == ["M", "4·M", "4·M", "N"]
    assert channels["bottleneck"] == ["M", "2", "2", "N"]
    assert closed(sections["grouped"]) == ["1/G"]


def test_numbers_that_differ_between_variants_have_no_name():
    """Grouped twice, in two and in four groups, is told apart by the numbers."""
    explanation = explain_layer(compare(ConvSpec.of(8, 8, k=3, groups=2), [get("grouped").bind({"groups": 4})]))
    assert [closed(section) for section in explanation.sections] == [[], ["1/4"], ["1/2"]]
    assert "G" not in explanation.values
    text = render_explanation(explanation, "markdown")
    assert "$(D_K^2·M·N·D_F^2/4)/(D_K^2·M·N·D_F^2)$ = 1/4 = 25.0 %, reduction 4.00×" in text


def test_biases_are_terms_of_their_own():
    """A bias is one parameter for each output channel of its stage, and no multiply-add."""
    explanation, sections = derive(ConvSpec.of(64, 128, k=3, size=56, bias="all"), "dws")
    params, macs = sections["depthwise-separable"].derivations
    assert [write(line.formula, UNICODE) for line in params.stages] == ["D_K²·M + M", "M·N + N"]
    assert write(params.result, UNICODE) == "8,960"
    assert write(macs.formula, UNICODE) == "D_K²·M·D_F² + M·N·D_F²"
    assert closed(sections["depthwise-separable"]) == [None, "1/N + 1/D_K²"]
    assert "A stage with a bias has one more parameter for each of its output channels." in explanation.notes


def test_an_open_size_stays_a_factor():
    """Without a size results are multiples of D_F², and the ratios are as exact as with one."""
    explanation, sections = derive(ConvSpec.of(64, 128, k=3))
    assert "D_F" not in explanation.values
    assert [write(each.derivations[1].result, UNICODE) for each in sections.values()] == [
        "73,728·D_F²",
        "8,768·D_F²",
        "36,864·D_F²",
    ]
    assert sections["depthwise-separable"].ratios[0].value == Fraction(8768, 73728)


def test_a_linear_layer_has_a_derivation_too():
    """No axes, no kernel and no map: M·N."""
    explanation, sections = derive(ConvSpec(c_in=8, c_out=4, kernel=(), size=()), "std", "bottleneck")
    assert stage_formulas(sections["standard"]) == ["M·N"]
    assert set(explanation.values) == {"M", "N"}


def test_a_variant_that_does_not_apply_says_why():
    """Its section has the reason in place of a derivation."""
    explanation, sections = derive(ConvSpec.of(64, 96, k=3), "dw")
    assert sections["depthwise"].derivations == ()
    for form in FORMATS:
        text = shown(explanation, form)
        assert "Does not apply: depthwise cannot change 64 channels to 96." in text


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_it_all(form):
    """Names, rules, and each variant's summary, loss and remark stand in each format."""
    comparison = compare(LAYER, choose(["all"], {"groups": 4}))
    text = words(shown(explain_layer(comparison), form))
    for candidate in comparison.candidates:
        variant = candidate.variant
        for sentence in (variant.name, variant.summary, variant.gives_up, candidate.remark):
            assert words(sentence) in text
    for rule in ("1 MAC = 2 FLOPs", "input channels", "output channels", "length of the kernel, each axis"):
        assert words(rule) in text


def words(text):
    """``text`` without what a format adds to it."""
    return " ".join(re.sub(r"[\\$*]|\{\}", "", unescape(text)).replace("times", "×").split())


@pytest.mark.parametrize("form", ["csv", "tsv", "html", "json"])
def test_other_formats_are_refused(form):
    """A derivation is no table, and the message names the formats that hold one."""
    with pytest.raises(SepcalcError) as caught:
        render_explanation(explain_layer(compare(LAYER)), form)
    assert str(caught.value) == f"--explain is prose: choose terminal, markdown or latex, not {form}"


@pytest.mark.parametrize(
    "spec",
    [
        LAYER,
        ConvSpec.of(512, 512, k=(3, 5), size=(14, 20), stride=2, bias="all"),
        ConvSpec.of(64, 128, k=(3, 5, 7), size=(16, 112, 112), stride=2, bias="last"),
    ],
    ids=["square", "oblong", "volume"],
)
def test_a_narrow_terminal_is_wide_enough(spec):
    """No line is longer than 60 columns, and equations break before their signs."""
    text = render_explanation(
        explain_layer(compare(spec, choose(["all"], {"groups": 4, "mid": 48}))), "terminal", width=60
    )
    assert max(map(len, text.splitlines())) <= 60
    assert not re.search(r"[=+·/]$", text, re.MULTILINE)
    assert text == re.sub(" +$", "", text, flags=re.MULTILINE)


def test_colour_is_for_headings_alone():
    """With colour the names of the variants are bold, and nothing else changes."""
    explanation = explain_layer(compare(LAYER))
    plain, bold = (render_explanation(explanation, "terminal", color=color) for color in (False, True))
    assert "\x1b" not in plain
    assert re.findall("\x1b\\[1m(.*?)\x1b\\[0m", bold)[1:] == [section.name for section in explanation.sections]
    assert re.sub("\x1b\\[[01]m", "", bold) == plain


def test_a_notebook_shows_markdown():
    """An explanation shows itself with its mathematics set."""
    explanation = explain_layer(compare(LAYER))
    assert explanation._repr_markdown_() == render_explanation(explanation, "markdown")


SECTIONS = {
    "terminal": """\
depthwise-separable
  Filter every channel on its own, then mix the channels at
  each position (Howard 2017, section 3.1).

  M → depthwise 3×3 → M → pointwise 1×1 → N

  parameters
    depthwise 3×3
      D_K·D_K·M = 3·3·64 = 576
    pointwise 1×1
      M·N = 64·128 = 8,192
    sum
      576 + 8,192 = 8,768

  multiply-adds
    depthwise 3×3
      D_K·D_K·M·D_F·D_F = 3·3·64·56·56 = 1,806,336
    pointwise 1×1
      M·N·D_F·D_F = 64·128·56·56 = 25,690,112
    sum
      1,806,336 + 25,690,112 = 27,496,448

  ratio to standard, parameters and multiply-adds alike
    (D_K²·M·D_F² + M·N·D_F²)/(D_K²·M·N·D_F²) = 1/N + 1/D_K²
      = 1/128 + 1/3² = 137/1,152 = 11.9 %, reduction 8.41×

    Of the standard's cost, depthwise 3×3 takes 1/N (0.8 %),
    pointwise 1×1 takes 1/D_K² (11.1 %).

  It cannot see space and channels at once.
""",
    "markdown": """\
### depthwise-separable

Filter every channel on its own, then mix the channels at each position (Howard 2017, section 3.1).

$M$ → depthwise 3×3 → $M$ → pointwise 1×1 → $N$

**Parameters**

- depthwise 3×3: $D_K·D_K·M$ = 3·3·64 = 576
- pointwise 1×1: $M·N$ = 64·128 = 8,192
- sum: 576 + 8,192 = 8,768

**Multiply-adds**

- depthwise 3×3: $D_K·D_K·M·D_F·D_F$ = 3·3·64·56·56 = 1,806,336
- pointwise 1×1: $M·N·D_F·D_F$ = 64·128·56·56 = 25,690,112
- sum: 1,806,336 + 25,690,112 = 27,496,448

**Ratio to standard**, parameters and multiply-adds alike: \
$(D_K^2·M·D_F^2 + M·N·D_F^2)/(D_K^2·M·N·D_F^2) = 1/N + 1/D_K^2$ = 1/128 + 1/3² = 137/1,152 = 11.9 %, reduction 8.41×

Of the standard's cost, depthwise 3×3 takes $1/N$ (0.8 %), pointwise 1×1 takes $1/D_K^2$ (11.1 %).

It cannot see space and channels at once.
""",
    "latex": r"""
\paragraph{depthwise-separable}
Filter every channel on its own, then mix the channels at each position (Howard 2017, section 3.1).

$M$ $\rightarrow$ depthwise 3$\times$3 $\rightarrow$ $M$ $\rightarrow$ pointwise 1$\times$1 $\rightarrow$ $N$.

Parameters:
\begin{align*}
  D_K \cdot D_K \cdot M &= 3 \cdot 3 \cdot 64 = 576 && \text{depthwise 3$\times$3} \\
  M \cdot N &= 64 \cdot 128 = 8{,}192 && \text{pointwise 1$\times$1} \\
  \text{sum} &= 576 + 8{,}192 = 8{,}768
\end{align*}

Multiply-adds:
\begin{align*}
  D_K \cdot D_K \cdot M \cdot D_F \cdot D_F &= 3 \cdot 3 \cdot 64 \cdot 56 \cdot 56 && \text{depthwise 3$\times$3} \\
  &= 1{,}806{,}336 \\
  M \cdot N \cdot D_F \cdot D_F &= 64 \cdot 128 \cdot 56 \cdot 56 && \text{pointwise 1$\times$1} \\
  &= 25{,}690{,}112 \\
  \text{sum} &= 27{,}496{,}448
\end{align*}

Ratio to standard, parameters and multiply-adds alike:
\begin{align*}
  \frac{D_K^2 \cdot M \cdot D_F^2 + M \cdot N \cdot D_F^2}{D_K^2 \cdot M \cdot N \cdot D_F^2}
  &= \frac{1}{N} + \frac{1}{D_K^2} \\
  &= \frac{1}{128} + \frac{1}{3^2} \\
  &= \frac{137}{1{,}152} = 11.9\,\%
\end{align*}
Reduction 8.41$\times$.
Of the standard's cost, depthwise 3$\times$3 takes $1/N$ (0.8\,\%), pointwise 1$\times$1 takes $1/D_K^2$ (11.1\,\%).

It cannot see space and channels at once.
""".lstrip(),
}


@pytest.mark.parametrize("form", SECTIONS)
def test_the_textbook_pair(form):
    """64 → 128, 3×3 reads from top to bottom as a lecture derives it."""
    assert SECTIONS[form] in render_explanation(explain_layer(compare(LAYER)), form, width=60)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_latex_is_well_formed(name):
    """Braces and environments close, mathematics ends, and there is no command that amsmath does not have."""
    text = fragment(DOCUMENTS[name])
    assert text.startswith("% Needs \\usepackage{amsmath}.\n")
    text = text.split("\n", 1)[1]
    assert text.isascii()
    depth = 0
    for sign in re.sub(r"\\[{}%&$#_]", "", text):
        depth += (sign == "{") - (sign == "}")
        assert depth >= 0
    assert depth == 0
    open_ = []
    for begin, end in re.findall(r"\\begin\{([\w*]+)\}|\\end\{([\w*]+)\}", text):
        assert not end or open_.pop() == end
        open_ += [begin] if begin else []
    assert open_ == []
    assert len(re.findall(r"(?<!\\)\$", text)) % 2 == 0
    words = "begin end subsection paragraph small footnotesize text frac cdot times rightarrow quad"
    assert set(re.findall(r"\\([a-zA-Z]+)", text)) <= set(words.split())
