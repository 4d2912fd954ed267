"use strict";

// Tables with the class "tooled" get a button in every column head and a filter field. Without
// this script they are whole and readable.

for (const box of document.querySelectorAll("div.table")) {
  const table = box.querySelector("table.tooled");
  if (table) {
    sortable(table);
    filterable(box, table);
  }
}

function sortable(table) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  const original = [...body.rows];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    head.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const next = { none: "ascending", ascending: "descending", descending: "none" };
      const order = next[head.getAttribute("aria-sort")];
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", order);
      body.append(...sorted(original, column, head.dataset.type === "number", order));
    });
  });
}

function sorted(rows, column, numeric, order) {
  if (order === "none") return rows;
  const sign = order === "ascending" ? 1 : -1;
  const keyed = rows.map((row) => [row, key(row.cells[column], numeric)]);
  keyed.sort(([, a], [, b]) => {
    // What has no number stays last in either order.
    if (numeric && (Number.isNaN(a) || Number.isNaN(b))) return Number.isNaN(a) - Number.isNaN(b);
    return sign * (numeric ? a - b : a.localeCompare(b, "en"));
  });
  return keyed.map(([row]) => row);
}

function key(cell, numeric) {
  if (!numeric) return cell.textContent;
  const text = cell.dataset.v ?? cell.textContent.replace("−", "-").replaceAll(",", "").replace("∞", "Infinity");
  return text === "–" || text === "" ? NaN : Number(text);
}

function filterable(box, table) {
  const tools = box.querySelector(".tools");
  const field = tools.querySelector("input");
  const count = tools.querySelector("output");
  const names = [...table.tHead.rows[0].cells].map((head) => [head.dataset.key, head.textContent].map(lower));
  const rows = [...table.tBodies[0].rows];
  const show = () => {
    const tests = lower(field.value).split(/\s+/).filter(Boolean).map((word) => test(word, names));
    let shown = 0;
    for (const row of rows) {
      row.hidden = !tests.every((passes) => passes(row));
      shown += !row.hidden;
    }
    count.textContent = `${shown.toLocaleString("en")} of ${rows.length.toLocaleString("en")} rows`;
  };
  field.addEventListener("input", show);
  show();
  tools.hidden = false;
}

function test(word, names) {
  const at = word.indexOf("=");
  const column = names.findIndex((aliases) => at > 0 && aliases.includes(word.slice(0, at)));
  if (column < 0) return (row) => lower(row.textContent).includes(word);
  const wanted = word.slice(at + 1);
  return (row) => {
    const cell = row.cells[column];
    return lower(cell.textContent) === wanted || cell.dataset.v === wanted;
  };
}

function lower(text) {
  return text.toLowerCase();
}
