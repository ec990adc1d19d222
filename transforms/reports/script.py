"""The script of every page: it finds, sorts and folds. Without it the page reads the same."""

SCRIPT = """
"use strict";
const all = (where, what) => [...where.querySelectorAll(what)];
document.documentElement.classList.add("js");

for (const bar of all(document, ".find")) {
  const section = bar.closest("section");
  const text = bar.querySelector("[type=search]"), flagged = bar.querySelector("[type=checkbox]");
  const shown = bar.querySelector("output"), rows = all(section, "tbody[data-name]");
  const find = () => {
    const wanted = text.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const hit = row.dataset.name.toLowerCase().includes(wanted)
        && !(flagged && flagged.checked && !row.classList.contains("bad"));
      row.hidden = !hit;
      count += hit;
    }
    shown.textContent = count === rows.length ? "" : `${count} of ${rows.length}`;
  };
  bar.addEventListener("input", find);
  const fold = bar.querySelector(".fold");
  if (fold) fold.addEventListener("click", () => {
    const open = fold.getAttribute("aria-expanded") !== "true";
    for (const row of rows) if (!row.hidden)
      for (const each of all(row, "tr > td > details")) each.open = open;
    fold.setAttribute("aria-expanded", open);
    fold.textContent = open ? "Close all" : "Open all";
  });
}

for (const button of all(document, "[data-scale]"))
  button.addEventListener("click", () => {
    const on = document.documentElement.classList.toggle(button.dataset.scale);
    for (const each of all(document, `[data-scale=${button.dataset.scale}]`))
      each.setAttribute("aria-pressed", on);
  });

for (const table of all(document, "table.sorts")) {
  const heads = [...table.tHead.rows[0].cells];
  const value = (body, at) => {
    const cell = body.rows[0].cells[at];
    const value = cell.dataset.v ?? cell.textContent.trim().toLowerCase();
    return value !== "" && isFinite(value) ? Number(value) : value;
  };
  const compare = (a, b) => typeof a === typeof b ? (a < b ? -1 : a > b ? 1 : 0)
    : typeof a === "number" ? -1 : 1;
  const order = [...table.tBodies];
  heads.forEach((head, at) => {
    if (!head.textContent || head.dataset.sort === "no") return;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const now = head.getAttribute("aria-sort"), first = head.classList.contains("n");
      const next = !now ? (first ? "descending" : "ascending")
        : now === (first ? "descending" : "ascending") ? (first ? "ascending" : "descending") : "";
      for (const each of heads) each.removeAttribute("aria-sort");
      if (next) head.setAttribute("aria-sort", next);
      const sign = next === "descending" ? -1 : 1;
      const sorted = next ? [...order].sort((a, b) => sign * compare(value(a, at), value(b, at)))
        : order;
      table.append(...sorted);
    });
  });
}

const reveal = () => {
  const body = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (body && body.tagName === "TBODY") {
    body.hidden = false;
    for (const each of all(body, "tr > td > details")) each.open = true;
    body.scrollIntoView({block: "center"});
  }
};
addEventListener("hashchange", reveal);
reveal();
"""
