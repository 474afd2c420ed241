"""A report in a real browser: what a reader can do with it, and that it asks for nothing."""

from itertools import pairwise

import pytest
from browser import CHROMIUM, Visit, browser
from commands import sepcalc

from sepcalc import choose, load
from sepcalc.core.network_tables import network_table
from sepcalc.core.table import plain

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine"),
]

TABLE = "#layers table"
NETWORK = load("resnet50")
LAYERS = network_table(NETWORK, [NETWORK.what_if(each) for each in choose()])


@pytest.fixture(scope="module")
def chromium():
    """One browser for all tests."""
    with browser() as started:
        yield started


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The report about ResNet-50."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert sepcalc(f"report resnet50 -o '{path}'") == (0, "", "")
    return path


@pytest.fixture
def visit(chromium, file):
    """The report as it opens on a desk; at the end nothing was asked for, and nothing complained about."""
    with Visit(chromium, file) as opened:
        yield opened
        assert opened.requests == [file.as_uri()]
        assert opened.complaints == []


def names(page, *, shown=True):
    """The names of the layers in the order of the page, those that are shown or all."""
    script = "rows => rows.filter(row => !{shown} || row.checkVisibility()).map(row => row.cells[0].textContent)"
    return page.eval_on_selector_all(f"{TABLE} tbody tr", script.replace("{shown}", str(shown).lower()))


def button(page, title):
    """The button that sorts by the column called ``title``."""
    return page.locator(f"{TABLE} thead button").get_by_text(title, exact=True)


def order(key, *, largest_first):
    """The names of the layers as the table's own cells order them; what has no number stands at the end."""
    place = [column.key for column in LAYERS.columns].index(key)
    column, body = LAYERS.columns[place], [row for row in LAYERS.rows if row.role == "body"]
    value = {row.cells[0]: plain(row.cells[place], column) for row in body}
    some = sorted((name for name in value if value[name] is not None), key=value.__getitem__, reverse=largest_first)
    return [*some, *(name for name in value if value[name] is None), "total"]


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("params", "Params"),
        ("macs", "MACs"),
        ("macs_share", "Share"),
        ("macs:depthwise-separable", "MACs, depthwise-separable"),
        ("reduction:spatial-separable", "Reduction, spatial-separable"),
    ],
)
def test_sort_by_numbers(visit, key, title):
    """A click sorts from the largest by the exact cells, a second the other way; sums and gaps stay at the end."""
    button(visit.page, title).click()
    assert names(visit.page) == order(key, largest_first=True)
    button(visit.page, title).click()
    assert names(visit.page) == order(key, largest_first=False)
    button(visit.page, title).click()
    assert names(visit.page) == [row.cells[0] for row in LAYERS.rows]


def test_every_column_sorts(visit):
    """Each heading says how its column is sorted, and says so of one column alone."""
    heads = visit.page.locator(f"{TABLE} thead th")
    for place in range(heads.count()):
        heads.nth(place).locator("button").click()
        said = [heads.nth(each).get_attribute("aria-sort") for each in range(heads.count())]
        text = "text" in (heads.nth(place).get_attribute("class") or "")
        assert said.pop(place) == ("ascending" if text else "descending")
        assert set(said) == {"none"}


def test_names_sort_as_people_count(chromium, tmp_path):
    """Numbers within names are numbers: a2 stands before a10."""
    file = tmp_path / "net.yaml"
    layers = "".join(f"  - {{name: a{n}, c_in: 3, c_out: 3, k: 3, size: 8}}\n" for n in (10, 9, 2))
    file.write_text(f"name: Net\nlayers:\n{layers}")
    assert sepcalc(f"report '{file}' -o '{tmp_path / 'net.html'}'").code == 0
    with Visit(chromium, tmp_path / "net.html") as visit:
        button(visit.page, "Layer").click()
        assert names(visit.page) == ["a2", "a9", "a10", "total"]


def test_search(visit):
    """Words are searched in names and types, all of them at once; the page says how many rows there are."""
    search = visit.page.get_by_role("searchbox")
    said = visit.page.locator("output")
    assert said.text_content() == "88 of 88 rows"
    search.fill("CONV5 3×3")
    assert names(visit.page) == ["conv5.1.conv2", "conv5.2.conv2", "conv5.3.conv2", "total"]
    assert said.text_content() == "3 of 88 rows"
    search.fill("nothing is called so")
    assert names(visit.page) == ["total"]
    search.fill("")
    assert len(names(visit.page)) == 89


def test_filter_by_variant(visit):
    """A variant chosen leaves the layers that it rewrites, and of what-ifs its own columns."""
    visit.page.get_by_role("combobox").select_option("spatial-separable")
    converted = [unit.layer.name for unit in NETWORK.units]
    assert names(visit.page) == [*converted, "total"]
    heads = visit.page.locator(f"{TABLE} thead th:visible").all_text_contents()
    assert [head for head in heads if "separable" in head] == [
        "MACs, spatial-separable",
        "Reduction, spatial-separable",
    ]
    visit.page.get_by_role("searchbox").fill("conv5")
    assert names(visit.page) == [*(name for name in converted if name.startswith("conv5")), "total"]
    button(visit.page, "Params").click()
    assert len(names(visit.page)) == 4
    visit.page.get_by_role("combobox").select_option("")
    assert visit.page.locator(f"{TABLE} thead th:visible").count() == 10


BRIGHT = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).every(part => part > 200)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_theme(chromium, file, scheme):
    """The page follows the system, and the switch turns it over."""
    with Visit(chromium, file, color_scheme=scheme) as visit:
        switch = visit.page.get_by_role("button", name="Dark")
        for is_dark in (scheme == "dark", scheme != "dark", scheme == "dark"):
            assert visit.page.evaluate(BRIGHT) is not is_dark
            assert switch.get_attribute("aria-pressed") == str(is_dark).lower()
            switch.click()


CONTRAST = """() => {
  const light = (color) => {
    const [red, green, blue] = color.match(/[\\d.]+/g).slice(0, 3).map(Number)
      .map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    for (let each = element; each; each = each.parentElement) {
      const color = getComputedStyle(each).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return color;
    }
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    const element = text.parentElement;
    if (!text.textContent.trim() || element.closest("script") || !element.checkVisibility()) continue;
    const style = getComputedStyle(element);
    const words = element.closest("svg") ? style.fill : style.color;
    const [one, other] = [light(words), light(behind(element))].sort((a, b) => b - a);
    if ((one + 0.05) / (other + 0.05) < 4.5) found.push(`${text.textContent}: ${words} on ${behind(element)}`);
  }
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(chromium, file, scheme):
    """All words stand out as WCAG 2.2 asks (1.4.3, AA: 4.5 to 1), those in the pictures too."""
    with Visit(chromium, file, color_scheme=scheme) as visit:
        assert visit.page.evaluate(CONTRAST) == []
        assert visit.page.locator("figure svg text").count() > 20


def test_nothing_is_allowed_out(chromium, file):
    """The page's policy stops a request that a script in it would make, and a script that is put into it."""
    with Visit(chromium, file) as visit:
        asked = "fetch('https://example.org/').then(() => 'answered', () => 'refused')"
        assert visit.page.evaluate(asked) == "refused"
        visit.page.evaluate(
            "document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.ran = 1'}))"
        )
        assert visit.page.evaluate("window.ran") is None
        assert "Content Security Policy" in visit.complaints[0]
        assert "Content Security Policy" in visit.complaints[-1]


def test_keyboard(visit):
    """A first tab reaches the link past the head; a heading sorts by the keyboard, and shows that it has the focus."""
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    assert page.locator(".skip").bounding_box()["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
    button(page, "MACs").focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Space")
    assert names(page) == order("macs", largest_first=True)


def test_desk(visit):
    """At 1280 pixels no table scrolls sideways, and the parts of a picture stand beside each other."""
    page = visit.page
    assert page.locator(".scroll").evaluate_all("boxes => boxes.filter(box => box.scrollWidth > box.clientWidth)") == []
    parts = "boxes => boxes.map(box => new Set([...box.children].map(part => part.getBoundingClientRect().y)).size)"
    assert page.locator(".parts").evaluate_all(parts) == [1, 1]


def test_phone(chromium, file):
    """At 360 pixels the page does not scroll sideways; a table scrolls in its box, and its names stay."""
    with Visit(chromium, file, width=360, height=740, has_touch=True, is_mobile=True) as visit:
        assert visit.page.evaluate("document.documentElement.scrollWidth") == 360
        box = visit.page.locator("#layers .scroll")
        assert box.evaluate("box => box.scrollWidth > box.clientWidth")
        moved = box.evaluate(
            "box => { box.scrollLeft = 200; const [name, number] = box.querySelectorAll('tbody tr:first-child > *');"
            " return [name, number].map(each => each.getBoundingClientRect().x - box.getBoundingClientRect().x); }"
        )
        assert moved[0] == 0
        assert moved[1] < 0


def test_print(chromium, file):
    """On paper there is nothing to click, nothing in a box that scrolls, and no dark ground."""
    with Visit(chromium, file, color_scheme="dark") as visit:
        visit.page.emulate_media(media="print", color_scheme="dark")
        assert visit.page.evaluate(BRIGHT)
        assert visit.page.locator("input:visible, select:visible, .switch:visible, nav:visible").count() == 0
        box = visit.page.locator("#layers .scroll")
        assert box.evaluate("box => getComputedStyle(box).overflow") == "visible"
        written = "head => getComputedStyle(head, '::after').content"
        heads = visit.page.locator(f"{TABLE} thead th")
        assert heads.first.evaluate(written) == '"Layer"'
        assert visit.page.locator("thead button:visible").count() == 0
        assert visit.page.pdf().startswith(b"%PDF")


def test_without_script(chromium, file):
    """Without its script the page has every row, and nothing that would do nothing."""
    with Visit(chromium, file, java_script_enabled=False) as visit:
        assert visit.page.locator(f"{TABLE} tbody tr:visible").count() == len(LAYERS.rows)
        assert visit.page.locator("button:visible, input:visible, select:visible").count() == 0


def test_tables_can_be_heard(visit):
    """Every table has a caption, and every heading says what it heads."""
    tables = visit.page.locator("table")
    assert tables.count() == visit.page.locator("table > caption").count()
    assert visit.page.locator("th:not([scope])").count() == 0
    assert visit.page.locator("th[scope=row]").count() > len(LAYERS.rows)
    levels = visit.page.eval_on_selector_all("h1, h2, h3, h4", "heads => heads.map(head => Number(head.tagName[1]))")
    assert levels[0] == 1
    assert all(level <= before + 1 for before, level in pairwise(levels))
