"use strict";
(function () {
  const table = document.getElementById("trials");
  if (!table) return;
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const rows = Array.from(body.rows);
  const place = new Map(rows.map((row, index) => [row, index]));   // settles ties

  function key(row, column) {
    const text = row.cells[column].dataset.key;
    const value = Number(text);
    return text === "" || Number.isNaN(value) ? text : value;
  }

  // What is missing stands last in both directions, numbers before text.
  function compare(a, b, direction) {
    if (a === b) return 0;
    if (a === "" || b === "") return a === "" ? 1 : -1;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a < b ? -direction : direction;
  }

  heads.forEach(function (head, column) {
    head.querySelector("button").addEventListener("click", function () {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.sort(function (a, b) {
        const order = compare(key(a, column), key(b, column), down ? -1 : 1);
        return order || place.get(a) - place.get(b);
      });
      body.append(...rows);
    });
  });

  const filter = document.getElementById("filter");
  const shown = document.getElementById("shown");
  filter.addEventListener("input", function () {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach(function (row) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    });
    shown.textContent = count + " of " + rows.length + " rows";
  });
})();
