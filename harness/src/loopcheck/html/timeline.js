// SPDX-License-Identifier: MIT
// Two traces as two lanes. Events that stand in one row of the data have one height; a line connects each event with its
// counterpart wherever that is. What is marked are the findings of the judge: this file decides nothing, it only places.
//
// A drawing is made for a width in pixels and made again when the width changes, so that its text is always legible.
"use strict";

const ROW = 25; // pixels, of one event
const HEAD = 30; // above the first row
const FOLD_BEYOND = 30; // rows; a drawing with more of them has its long stretches folded
const FOLD_LEAST = 8; // rows in a stretch that is worth folding
const FOLD_KEEPS = 3; // rows at either end of it

// lanes: from the data. names: of oracle and target. findings: whose `counts` says how heavy a mark is.
function drawTimeline({ lanes, names, findings, width, unfolded, onUnfold }) {
  const plan = new Plan(lanes, names, findings, width, unfolded);
  const svg = draw("svg", {
    class: "drawing", width, height: plan.height, viewBox: `0 0 ${width} ${plan.height}`,
    role: "img", "aria-label": `Traces of ${names[0]} and ${names[1]}; the table view has the same as text.`,
  });
  names.forEach((name, side) => {
    const text = fit(name, plan.lane, 13);
    svg.append(draw("text", { x: plan.left(side), y: 16, class: "lane-name" }, text, draw("title", {}, name)));
  });
  svg.append(...bandsOf(plan, 0), ...bandsOf(plan, 1));
  svg.append(...threadsOf(plan), ...endingOf(plan));
  svg.append(...textsOf(plan, 0), ...textsOf(plan, 1), ...foldsOf(plan, onUnfold), ...numeralsOf(plan));
  return svg;
}

// Where everything stands.
class Plan {
  constructor(lanes, names, findings, width, unfolded) {
    Object.assign(this, { lanes, names, findings, width });
    this.size = width < 480 ? 11.5 : 13;
    this.gutter = width < 480 ? 22 : 30; // for the iteration's number
    this.gap = Math.max(46, Math.min(150, width * 0.17));
    this.lane = (width - this.gap) / 2;
    this.events = [lanes.ours.map(eventOf), lanes.theirs.map(eventOf)];
    this.counterpart = [new Map(lanes.links), new Map(lanes.links.map(([i, j]) => [j, i]))];
    this.marks = lanes.marks.map((mark, n) => mark && { ...mark, n, mild: !findings[n].counts }).filter(Boolean);
    this.marked = [new Map(), new Map()];
    for (const mark of this.marks) {
      [mark.i, mark.j].forEach((index, side) => {
        if (index !== null && !(side === 0 && mark.j !== null)) this.marked[side].set(index, mark);
      });
    }
    this.items = foldedRows(this, unfolded);
    this.y = [new Map(), new Map()];
    this.folded = [new Set(), new Set()];
    this.items.forEach((item, at) => item.rows.forEach((row) => row.forEach((index, side) => {
      if (index === null) return;
      this.y[side].set(index, HEAD + at * ROW);
      if (item.fold) this.folded[side].add(index);
    })));
    const last = this.y[1].get(this.events[1].length - 1) ?? HEAD - ROW;
    this.endingAt = lanes.end ? last + ROW : null;
    this.height = Math.max(HEAD + this.items.length * ROW, (this.endingAt ?? 0) + (lanes.end ? ROW : 0)) + 4;
  }

  left(side) {
    return side === 0 ? 0.75 : this.lane + this.gap;
  }

  middle(side, index) {
    return this.y[side].get(index) + ROW / 2;
  }
}

// Rows as items: a row, or a stretch of rows of one sort that is folded into one.
function foldedRows(plan, unfolded) {
  const { rows } = plan.lanes;
  const items = [];
  let start = 0;
  while (start < rows.length) {
    const sort = sortOf(plan, rows[start]);
    let end = start + 1;
    while (end < rows.length && sortOf(plan, rows[end]) === sort) end += 1;
    const length = end - start;
    const folds = sort && rows.length > FOLD_BEYOND && length >= FOLD_LEAST + 2 * FOLD_KEEPS && !unfolded?.has(start);
    const keeps = folds ? FOLD_KEEPS : length;
    for (const row of rows.slice(start, start + keeps)) items.push({ rows: [row] });
    if (folds) {
      items.push({ fold: sort, start, rows: rows.slice(start + keeps, end - keeps) });
      for (const row of rows.slice(end - keeps, end)) items.push({ rows: [row] });
    }
    start = end;
  }
  return items;
}

// What a row has in common with its neighbours: "" for one that must be seen.
function sortOf(plan, [i, j]) {
  if (i !== null && j !== null) {
    const seen = plan.marked[0].has(i) || plan.marked[1].has(j) || plan.counterpart[0].get(i) !== j;
    return seen ? "" : "alike";
  }
  const [side, index] = i !== null ? [0, i] : [1, j];
  return plan.counterpart[side].has(index) ? "" : `only on ${plan.names[side]}`;
}

// ---- bands: one for each iteration --------------------------------------------------------------------------

function bandsOf(plan, side) {
  const shapes = [];
  for (const band of bands(plan, side)) {
    const [x, y] = [plan.left(side), plan.y[side].get(band.first)];
    const height = plan.y[side].get(band.last) + ROW - y;
    shapes.push(draw("rect", {
      class: `band ${band.look}`, x, y: y + 1.5, width: plan.lane - 1.5, height: height - 3, rx: 6,
    }, draw("title", {}, band.title)));
    shapes.push(draw("text", { class: "gutter", x: x + plan.gutter / 4, y: y + ROW / 2 + 4 }, band.sign));
  }
  return shapes;
}

// Stretches of events that ran in one iteration, or outside the loop.
function bands(plan, side) {
  const events = plan.events[side];
  const numbered = events.some((event) => event.iteration !== null);
  const found = [];
  let current = null;
  events.forEach((event, index) => {
    if (plan.folded[side].has(index)) {
      current = null;
      return;
    }
    const look = lookOf(event, numbered);
    if (current?.key === look.key && look.key !== "record") current.last = index;
    else found.push(current = { ...look, first: index, last: index });
  });
  return found;
}

function lookOf(event, numbered) {
  if (event.kind !== null) return { key: "record", look: "record", sign: "!", title: `${event.kind}: no callback of the scenario` };
  if (!numbered) return { key: "plain", look: "plain", sign: "", title: "iterations were not recorded" };
  if (event.iteration === null) return { key: "outside", look: "outside", sign: "–", title: "outside the loop" };
  return {
    key: event.iteration, look: event.iteration % 2 ? "even" : "odd", sign: String(event.iteration),
    title: `iteration ${event.iteration} of the loop`,
  };
}

// ---- lines: the same event on both sides -----------------------------------------------------------------------

function threadsOf(plan) {
  const shapes = [];
  const faults = new Set(plan.marks.map((mark) => `${mark.i} ${mark.j}`));
  for (const [i, j] of plan.lanes.links) {
    const hidden = plan.folded[0].has(i) && plan.folded[1].has(j);
    if (!hidden && !faults.has(`${i} ${j}`)) shapes.push(thread(plan, i, j, "thread"));
  }
  [0, 1].forEach((side) => plan.events[side].forEach((_, index) => {
    if (plan.counterpart[side].has(index) || plan.marked[side].has(index) || plan.folded[side].has(index)) return;
    shapes.push(...stub(plan, side, index, "thread lost", "ring"));
  }));
  for (const mark of plan.marks.filter((one) => !isFolded(plan, one))) {
    const look = mark.mild ? "fault mild" : "fault";
    if (mark.i !== null && mark.j !== null) shapes.push(thread(plan, mark.i, mark.j, look, mark.n));
    else if (mark.i !== null) shapes.push(...stub(plan, 0, mark.i, look, `ring ${look}`, mark.n));
    else shapes.push(...stub(plan, 1, mark.j, look, `ring ${look}`, mark.n));
  }
  return shapes;
}

// Whether a mark is at an event of which only the number in a folded stretch is shown.
function isFolded(plan, { i, j }) {
  return j === null ? plan.folded[0].has(i) : plan.folded[1].has(j);
}

function thread(plan, i, j, look, n = null) {
  const [x0, x1] = [plan.lane, plan.left(1)];
  const [y0, y1] = [plan.middle(0, i), plan.middle(1, j)];
  const bend = (x0 + x1) / 2;
  return draw("path", { class: look, "data-i": i, "data-j": j, "data-n": n, d: `M${x0} ${y0}C${bend} ${y0} ${bend} ${y1} ${x1} ${y1}` });
}

function stub(plan, side, index, look, ringLook, n = null) {
  const from = side === 0 ? plan.lane : plan.left(1);
  const to = from + (side === 0 ? 1 : -1) * plan.gap * 0.42;
  const y = plan.middle(side, index);
  const where = { "data-n": n, ["data-" + "ij"[side]]: index };
  return [
    draw("path", { class: look, ...where, d: `M${from} ${y}H${to}` }),
    draw("circle", { class: ringLook, ...where, cx: to, cy: y, r: 4 }),
  ];
}

// The number of each finding, on its line near the target's end; several on one line stand side by side.
function numeralsOf(plan) {
  const taken = new Map();
  return plan.marks.filter((mark) => !isFolded(plan, mark)).flatMap((mark) => {
    const missing = mark.j === null;
    const side = missing ? 0 : 1;
    const key = `${side} ${missing ? mark.i : mark.j}`;
    const before = taken.get(key) ?? 0;
    taken.set(key, before + 1);
    const y = plan.middle(side, missing ? mark.i : mark.j);
    const text = String(mark.n + 1);
    const half = Math.max(9, 4 * text.length + 2);
    const x = missing ? plan.lane + half + 4 + before * 20 : plan.left(1) - half - 4 - before * 20;
    const mild = mark.mild ? " mild" : "";
    return [
      draw("rect", { class: `numeral-disc${mild}`, "data-n": mark.n, x: x - half, y: y - 9, width: 2 * half, height: 18, rx: 9 }),
      draw("text", { class: `numeral-text${mild}`, "data-n": mark.n, x, y: y + 4 }, text),
    ];
  });
}

// ---- texts -------------------------------------------------------------------------------------------------

function textsOf(plan, side) {
  return plan.events[side].flatMap((event, index) => {
    if (plan.folded[side].has(index)) return [];
    const mark = plan.marked[side].get(index);
    const look = mark ? `fault-text${mark.mild ? " mild" : ""}` : "";
    const x = plan.left(side) + plan.gutter;
    return [eventText(plan, event, x, plan.middle(side, index) + 4.5, look, side, index)];
  });
}

function eventText(plan, event, x, y, look, side, index) {
  const space = plan.lane - plan.gutter - 8;
  const share = event.values ? Math.max(0.6 * space, space - widthOf(`${event.values}  `, plan.size)) : space;
  const name = fit(event.kind ? `${event.kind} ${event.label}` : event.label, share, plan.size);
  const left = space - widthOf(`${name} `, plan.size);
  const values = event.values && left > 2 * plan.size ? fit(event.values, left, plan.size) : "";
  return draw("text", { x, y, class: look, "font-size": plan.size, ["data-" + "ij"[side]]: index },
    name, values && draw("tspan", { class: "values", dx: plan.size * 0.6 }, values), draw("title", {}, tooltip(event)));
}

function tooltip(event) {
  const at = event.t === null ? "" : `\nat ${milliseconds(event.t)}`;
  const due = event.due === null ? "" : `, due at ${milliseconds(event.due)}`;
  return `${wholeText(event)}${at}${due}`;
}

function milliseconds(seconds) {
  return `${(seconds * 1e3).toFixed(2)} ms`;
}

function foldsOf(plan, onUnfold) {
  return plan.items.flatMap((item, at) => {
    if (!item.fold) return [];
    const y = HEAD + at * ROW;
    const unfold = () => onUnfold?.(item.start);
    const onKey = (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      unfold();
    };
    const text = `⋯ ${plural(item.rows.length, "row")} ${item.fold} (show)`;
    return [draw("g", { class: "fold", role: "button", tabindex: 0, "aria-label": text, onclick: unfold, onkeydown: onKey },
      draw("rect", { x: 0.75, y: y + 3, width: plan.width - 1.5, height: ROW - 6, rx: 6 }),
      draw("text", { x: plan.gutter, y: y + ROW / 2 + 4.5 }, text))];
  });
}

function endingOf(plan) {
  if (plan.endingAt === null) return [];
  const [x, y] = [plan.left(1), plan.endingAt];
  return [
    draw("rect", { class: "died", x, y: y + 2, width: plan.lane - 1.5, height: ROW - 4, rx: 6 }),
    draw("text", { class: "fault-text", x: x + plan.gutter, y: y + ROW / 2 + 4.5 }, fit(`✗ ${plan.lanes.end}`, plan.lane - plan.gutter, 13)),
  ];
}
