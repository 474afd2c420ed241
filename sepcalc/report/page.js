"use strict";

// Everything that needs this script is hidden without it.
for (const element of document.querySelectorAll(".needs-script")) element.hidden = false;

const root = document.documentElement;
const theme = document.getElementById("theme");
const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
const showTheme = () => theme.setAttribute("aria-pressed", String(isDark()));
theme.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
});
system.addEventListener("change", showTheme);
showTheme();

const collator = new Intl.Collator("en", { numeric: true });

/** The rows of a table in the order of the page: each row grouped with its parts, and the sums, which stay last. */
function rowsOf(table) {
  const groups = [];
  const sums = [];
  for (const row of table.tBodies[0].rows) {
    if (row.className === "total") sums.push(row);
    else if (row.className === "part" && groups.length) groups.at(-1).push(row);
    else groups.push([row]);
  }
  return { groups, sums };
}

/** The sort key of a group: a number, a text, or null, which always comes last. */
function keyOf(group, place, isText) {
  const cell = group[0].cells[place];
  if (isText) return cell.textContent || null;
  return cell.dataset.value === undefined ? null : Number(cell.dataset.value);
}

function compare(one, other, sign) {
  if (one.key === null || other.key === null) return (one.key === null) - (other.key === null);
  return sign * (typeof one.key === "string" ? collator.compare(one.key, other.key) : one.key - other.key);
}

/** Clicks cycle through three orders: the largest number (or A) first, the reverse, and the order of the page. */
function makeSortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const { groups, sums } = rowsOf(table);
  const sort = (place) => {
    const isText = heads[place].classList.contains("text");
    const turns = isText ? ["ascending", "descending", "none"] : ["descending", "ascending", "none"];
    const turn = turns[(turns.indexOf(heads[place].getAttribute("aria-sort")) + 1) % 3];
    heads.forEach((head, index) => head.setAttribute("aria-sort", index === place ? turn : "none"));
    const sign = turn === "ascending" ? 1 : -1;
    const keyed = groups.map((group) => ({ group, key: keyOf(group, place, isText) }));
    if (turn !== "none") keyed.sort((one, other) => compare(one, other, sign));
    table.tBodies[0].append(...keyed.flatMap(({ group }) => group), ...sums);
  };
  heads.forEach((head, place) => {
    head.setAttribute("aria-sort", "none");
    head.dataset.title = head.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sort(place));
    head.append(button);
  });
}

/** Search by words, and filter by variant: only its columns, and the rows that have it. */
function makeFilterable(tools, table) {
  const [search, choice, status] = ["input", "select", "output"].map((tag) => tools.querySelector(tag));
  const { groups } = rowsOf(table);
  const variants = [...table.tHead.rows[0].cells].map((head) => head.dataset.variant);
  const found = groups.map((group) => ({
    group,
    text: group.flatMap((row) => [...row.querySelectorAll(".text")].map((cell) => cell.textContent)).join(" ").toLowerCase(),
    variants: new Set(variants.filter((variant, place) => variant && group[0].cells[place].dataset.value !== undefined)),
  }));
  let shown = "";
  const showColumns = (wanted) => {
    if (wanted === shown) return;
    shown = wanted;
    for (const row of table.rows) {
      variants.forEach((variant, place) => {
        if (variant) row.cells[place].hidden = Boolean(wanted) && variant !== wanted;
      });
    }
  };
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = choice ? choice.value : "";
    let count = 0;
    for (const { group, text, variants: has } of found) {
      const fits = words.every((word) => text.includes(word)) && (!wanted || has.has(wanted));
      count += fits;
      for (const row of group) row.hidden = !fits;
    }
    showColumns(wanted);
    status.textContent = `${count.toLocaleString("en")} of ${found.length.toLocaleString("en")} rows`;
  };
  search.addEventListener("input", apply);
  if (choice) choice.addEventListener("change", apply);
  apply();
}

for (const table of document.querySelectorAll("table.sortable")) makeSortable(table);
for (const tools of document.querySelectorAll("[data-table]")) {
  makeFilterable(tools, document.getElementById(tools.dataset.table));
}
