"use strict";
(function () {
  const NEAR = 12;                                // pixels from the pointer to a mark
  const SVG = "http://www.w3.org/2000/svg";
  const $ = (id) => document.getElementById(id);
  const all = (query, within = document) => Array.from(within.querySelectorAll(query));
  const rows = () => ($("trials") ? Array.from($("trials").tBodies[0].rows) : []);
  // What the reader has set: it holds when the page is made anew.
  const view = { sort: null, words: "", pinned: null, upTo: null, ranges: {} };
  let hovered = null, drag = null;

  /* The table: sorted by a column, filtered by words. */

  function key(row, column) {
    const text = row.cells[column].dataset.key, value = Number(text);
    return text === "" || Number.isNaN(value) ? text : value;
  }

  // What is missing stands last in both directions, numbers before text.
  function compare(a, b, direction) {
    if (a === b) return 0;
    if (a === "" || b === "") return a === "" ? 1 : -1;
    if (typeof a !== typeof b) return typeof a === "number" ? -1 : 1;
    return a < b ? -direction : direction;
  }

  function sortRows() {
    if (!view.sort) return;
    const [column, down] = view.sort, heads = all("#trials thead th");
    heads.forEach((head) => head.removeAttribute("aria-sort"));
    heads[column].setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = $("trials").tBodies[0];
    const inOrder = rows().sort(function (a, b) {
      const order = compare(key(a, column), key(b, column), down ? -1 : 1);
      return order || a.dataset.place - b.dataset.place;
    });
    body.append(...inOrder);
  }

  /* The figures: marks and lines that name their trial in data-trial. */

  // The end points of each stroke of a mark, in units of its figure.
  function corners(mark) {
    if (mark.tagName === "use") return [[+mark.getAttribute("x"), +mark.getAttribute("y")]];
    const strokes = mark.getAttribute("d").split(/[A-Za-z]/).map((part) => part.match(/-?[\d.]+/g));
    return strokes.filter(Boolean).map((numbers) => numbers.slice(-2).map(Number));
  }

  function distance(x, y, mark) {
    const at = corners(mark);
    if (mark.tagName !== "use" && /z/.test(mark.getAttribute("d"))) {
      const [xs, ys] = [0, 1].map((i) => at.map((corner) => corner[i]));
      const gap = (value, ends) => Math.max(Math.min(...ends) - value, 0, value - Math.max(...ends));
      return Math.hypot(gap(x, xs), gap(y, ys));
    }
    let least = Math.hypot(x - at[0][0], y - at[0][1]);
    for (let i = 1; i < at.length; i++) {
      const [[x0, y0], [x1, y1]] = [at[i - 1], at[i]];
      const length = (x1 - x0) ** 2 + (y1 - y0) ** 2 || 1;
      const t = Math.min(1, Math.max(0, ((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length));
      least = Math.min(least, Math.hypot(x - x0 - t * (x1 - x0), y - y0 - t * (y1 - y0)));
    }
    return least;
  }

  function place(svg, event) {
    const matrix = svg.getScreenCTM();
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(matrix.inverse());
    return [point.x, point.y, matrix.a];
  }

  function nearest(svg, event) {
    const [x, y, scale] = place(svg, event);
    let found = null, least = NEAR / scale;
    for (const mark of all("[data-trial]:not(.off, .hit)", svg)) {
      const away = distance(x, y, mark);
      if (away < least) [found, least] = [mark.dataset.trial, away];
    }
    return found;
  }

  function add(svg, name, attributes, look) {
    const element = document.createElementNS(SVG, name);
    for (const each in attributes) element.setAttribute(each, attributes[each]);
    element.setAttribute("class", look);
    svg.append(element);
  }

  function highlight() {
    all("svg .hit").forEach((element) => element.remove());
    const trial = hovered ?? view.pinned;
    rows().forEach((row) => row.classList.toggle("hit", row.dataset.trial === trial));
    if (trial === null) return;
    for (const mark of all(`svg [data-trial="${trial}"]`)) {
      const svg = mark.closest("svg"), at = corners(mark), [x, y] = at[0];
      const wide = at.some((corner) => Math.hypot(corner[0] - x, corner[1] - y) > 14);
      if (wide) add(svg, "path", { d: mark.getAttribute("d") }, "hit");
      else add(svg, "circle", { cx: x, cy: y, r: 6 }, "hit");
    }
  }

  function tell(trial, event) {
    const row = trial === null ? null : rows().find((each) => each.dataset.trial === trial);
    const tip = $("tip");
    tip.hidden = !row;
    if (!row) return;
    tip.textContent = row.dataset.told;
    const { width, height } = tip.getBoundingClientRect();
    const beside = event.clientX + 16 + width < innerWidth;
    tip.style.left = Math.max(4, beside ? event.clientX + 16 : event.clientX - 16 - width) + "px";
    tip.style.top = Math.max(4, Math.min(event.clientY + 16, innerHeight - height - 4)) + "px";
  }

  /* Parallel coordinates: a range of an axis keeps the trials whose lines pass it. */

  const axesOf = (svg) => all("[data-axis]", svg).map(corners);
  const side = (svg) => (svg.closest(".for-phones") ? "phone" : "desk");

  function drawRanges() {
    for (const svg of all(".parallel svg")) {
      all(".strip, .range", svg).forEach((element) => element.remove());
      axesOf(svg).forEach(function ([[x, low], [, high]], axis) {
        const range = view.ranges[side(svg) + axis];
        if (range) {
          const [top, bottom] = [range[1], range[0]].map((f) => low + f * (high - low));
          add(svg, "rect", { x: x - 5, y: top, width: 10, height: bottom - top }, "range");
        }
        const strip = { x: x - 10, y: high - 6, width: 20, height: low - high + 12, "data-strip": axis };
        add(svg, "rect", strip, "strip");
      });
    }
  }

  function outside() {
    const left = new Set();
    for (const svg of all(".parallel svg")) {
      const axes = axesOf(svg), seen = new Set();
      const set = axes.map((_, axis) => view.ranges[side(svg) + axis]);
      if (!set.some(Boolean)) continue;
      for (const line of all("path[data-trial]", svg)) {
        seen.add(line.dataset.trial);
        corners(line).forEach(function ([, y], axis) {
          const [[, low], [, high]] = axes[axis], at = (y - low) / (high - low);
          if (set[axis] && (at < set[axis][0] || at > set[axis][1])) left.add(line.dataset.trial);
        });
      }
      rows().filter((row) => !seen.has(row.dataset.trial)).forEach((row) => left.add(row.dataset.trial));
    }
    return left;
  }

  function moveRange(event) {
    const [[, low], [, high]] = axesOf(drag.svg)[drag.axis];
    const at = Math.min(1.04, Math.max(-0.04, (place(drag.svg, event)[1] - low) / (high - low)));
    drag.from ??= at;
    const range = [Math.min(drag.from, at), Math.max(drag.from, at)], name = side(drag.svg) + drag.axis;
    if (range[1] - range[0] > 0.02) view.ranges[name] = range;
    else delete view.ranges[name];            // a click takes the range away
    apply();
  }

  /* All that the reader has set, shown. */

  function apply() {
    if (!$("trials")) return;
    rows().forEach((row, index) => (row.dataset.place ??= index));
    sortRows();
    drawRanges();
    const words = view.words.toLowerCase().split(/\s+/).filter(Boolean), left = outside();
    const later = (trial) => view.upTo !== null && Number(trial) > view.upTo;
    let count = 0;
    for (const row of rows()) {
      const text = row.textContent.toLowerCase(), { trial } = row.dataset;
      row.hidden = left.has(trial) || later(trial) || !words.every((word) => text.includes(word));
      count += row.hidden ? 0 : 1;
    }
    $("shown").textContent = count + " of " + rows().length + " rows";
    for (const mark of all("svg [data-trial]:not(.hit)")) {
      mark.classList.toggle("off", left.has(mark.dataset.trial) || later(mark.dataset.trial));
    }
    all(".all").forEach((button) => (button.hidden = !(left.size || words.length || view.upTo !== null)));
    $("filter").value = view.words;
    if ($("at")) {
      $("at").value = view.upTo ?? $("at").max;
      const until = rows().filter((each) => Number(each.dataset.trial) <= Number($("at").value));
      const row = until.sort((a, b) => a.dataset.trial - b.dataset.trial).pop();
      const best = row && row.dataset.best ? ", best so far " + row.dataset.best : "";
      $("at-told").textContent = row ? row.dataset.told.split("\n")[0] + best : "";
    }
    highlight();
  }

  document.addEventListener("click", function (event) {
    const head = event.target.closest("#trials thead th"), row = event.target.closest("tr[data-trial]");
    if (event.target.closest(".all")) {
      Object.assign(view, { words: "", upTo: null, ranges: {} });
    } else if (head && event.target.closest("button")) {
      view.sort = [head.cellIndex, head.getAttribute("aria-sort") === "ascending"];
    } else if (row || event.target.closest("figure svg")) {
      const trial = row ? row.dataset.trial : nearest(event.target.closest("svg"), event);
      view.pinned = trial === view.pinned ? null : trial;
    } else return;
    apply();
  });
  document.addEventListener("input", function (event) {
    if (event.target.id === "filter") view.words = event.target.value;
    if (event.target.id === "at") {
      view.upTo = event.target.value === event.target.max ? null : Number(event.target.value);
      view.pinned = event.target.value;
    }
    hovered = null;
    tell(null);
    apply();
  });
  document.addEventListener("scroll", () => tell(null), true);
  document.addEventListener("keydown", function (event) {
    if (event.key !== "Escape") return;
    hovered = view.pinned = null;
    tell(null);
    apply();
  });
  document.addEventListener("pointerdown", function (event) {
    const strip = event.target.closest(".strip");
    if (!strip) return;
    drag = { svg: strip.closest("svg"), axis: Number(strip.dataset.strip) };
    event.preventDefault();
    moveRange(event);
  });
  for (const end of ["pointerup", "pointercancel"]) document.addEventListener(end, () => (drag = null));
  document.addEventListener("pointermove", function (event) {
    if (drag) return moveRange(event);
    const svg = event.target.closest("figure svg"), row = event.target.closest("tr[data-trial]");
    const trial = row ? row.dataset.trial : svg ? nearest(svg, event) : null;
    tell(svg ? trial : null, event);
    if (trial === hovered) return;
    hovered = trial;
    highlight();
  });

  /* A page that follows a search: served, or written to a file again and again. */

  async function renew() {
    const made = new DOMParser().parseFromString(await (await fetch(location.href)).text(), "text/html");
    const open = all("details").map((each) => each.open), { activeElement } = document;
    const across = all(".scroll").map((each) => each.scrollLeft);
    const top = all("section").find((each) => each.getBoundingClientRect().bottom > 0);
    const height = top ? top.getBoundingClientRect().top : 0;
    for (const name of ["header", "main"]) {
      document.querySelector(name).replaceWith(made.querySelector(name));
    }
    document.body.dataset.page = made.body.dataset.page;
    apply();
    all("details").forEach((each, index) => (each.open = open[index]));
    all(".scroll").forEach((each, index) => (each.scrollLeft = across[index] || 0));
    const again = top && $(top.id);
    if (again) scrollBy(0, again.getBoundingClientRect().top - height);
    if (activeElement.id && $(activeElement.id)) $(activeElement.id).focus({ preventScroll: true });
  }

  async function follow() {
    try {
      const state = await (await fetch("?state")).json();
      $("live").textContent = state.text;
      if (state.page !== document.body.dataset.page && !drag) await renew();
    } catch {
      $("live").textContent = "The server has ended; this is the last that it told.";
    }
    setTimeout(follow, 2000);
  }

  apply();
  if (document.body.dataset.page) follow();
  if (document.body.dataset.reload) {
    const name = "gpsearch " + location.pathname;
    Object.assign(view, JSON.parse(sessionStorage.getItem(name) || "{}"));
    apply();
    setTimeout(function () {
      sessionStorage.setItem(name, JSON.stringify(view));
      location.reload();
    }, 1000 * document.body.dataset.reload);
  }
})();
