// SPDX-License-Identifier: MIT
// The traces against the clock: one block for each event that was due at some time, with a line for either loop. On a
// line a bar stands where the event was due and a dot where it came; the number is its lateness. Also the traces as a
// table, which has every value whole.
"use strict";

const BLOCK = 48; // pixels, of one event
const LATE_COLUMN = 84; // for the number

// Events with a due time, each with its counterpart: [event of the oracle or null, of the target or null,
// number of the finding about its time, or about its being there on one side only].
function timedPairs(lanes, findings) {
  const [ours, theirs] = [lanes.ours.map(eventOf), lanes.theirs.map(eventOf)];
  const toOurs = new Map(lanes.links.map(([i, j]) => [j, i]));
  const toTheirs = new Map(lanes.links);
  const marks = new Map();
  lanes.marks.forEach((mark, n) => {
    const timing = mark && WORDS.kind[findings[n].kind].axis === "timing";
    if (timing || mark?.i === null) marks.set(`j${mark.j}`, n);
    else if (mark?.j === null) marks.set(`i${mark.i}`, n);
  });
  const pairs = theirs.map((event, j) => [toOurs.has(j) ? ours[toOurs.get(j)] : null, event, marks.get(`j${j}`) ?? null]);
  ours.forEach((event, i) => toTheirs.has(i) || pairs.push([event, null, marks.get(`i${i}`) ?? null]));
  return pairs.filter(([one, other]) => (one ?? other).due !== null || (other ?? one).due !== null);
}

function drawClock({ lanes, names, findings, width }) {
  const pairs = timedPairs(lanes, findings);
  const times = pairs.flatMap(([one, other]) => [one, other].flatMap((event) => (event ? [event.t, event.due] : [])));
  const end = Math.max(...times.filter((time) => time !== null), 1e-3) * 1.02;
  const labels = Math.min(110, Math.max(...names.map((name) => widthOf(name, 11.5))) + 10);
  const [x0, x1] = [labels, width - LATE_COLUMN];
  const x = (time) => x0 + (Math.max(0, time) / end) * (x1 - x0);
  const height = 24 + pairs.length * BLOCK + 6;
  const svg = draw("svg", {
    class: "drawing", width, height, viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": "When each event was due and when it came; the table view has the same as text.",
  });
  svg.append(...scale(end, x, height, x1 - x0));
  pairs.forEach(([one, other, n], at) => {
    const y = 24 + at * BLOCK;
    const label = fit((other ?? one).label, width - 30, 13);
    svg.append(draw("text", { x: 0, y: y + 14, class: `event-name${n === null ? "" : " fault-text"}` }, label));
    if (n !== null) {
      const left = widthOf(label, 13) * 1.05 + 16;
      svg.append(draw("circle", { class: "numeral-disc", cx: left, cy: y + 10, r: 9 }),
        draw("text", { class: "numeral-text", x: left, y: y + 14 }, n + 1));
    }
    [one, other].forEach((event, side) => svg.append(
      ...clockLine(event, names[side], y + 26 + side * 14, side === 1 && n !== null, { x, labels, width })));
  });
  return svg;
}

function clockLine(event, name, y, isFault, { x, labels, width }) {
  const shapes = [draw("text", { class: "values small", x: 0, y: y + 4 }, fit(name, labels - 8, 11.5))];
  const number = (text, look) => shapes.push(draw("text", { class: `small right ${look}`, x: width, y: y + 4 }, text));
  if (event === null) {
    number("not there", "values");
    return shapes;
  }
  const look = isFault ? " fault" : "";
  if (event.due !== null) {
    shapes.push(draw("line", { class: `late-bar${look}`, x1: x(event.due), x2: x(event.t), y1: y, y2: y }));
    shapes.push(draw("line", { class: "due", x1: x(event.due), x2: x(event.due), y1: y - 6, y2: y + 6 }));
    const late = event.t - event.due;
    number(`${late < 0 ? "−" : "+"}${milliseconds(Math.abs(late))}`, isFault ? "fault-text" : "");
  }
  shapes.push(draw("circle", { class: `arrival${look}`, cx: x(event.t), cy: y, r: 4.5 }, draw("title", {}, tooltip(event))));
  return shapes;
}

// Round numbers of milliseconds, as many as have room.
function scale(end, x, height, room) {
  const most = Math.max(2, Math.floor(room / 70));
  const raw = (end * 1e3) / most;
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((candidate) => candidate >= raw);
  const shapes = [];
  for (let n = 0; n * step <= end * 1e3; n += 1) {
    const at = x((n * step) / 1e3);
    const text = Number((n * step).toPrecision(6));
    shapes.push(draw("line", { class: "grid", x1: at, x2: at, y1: 20, y2: height }));
    shapes.push(draw("text", { class: "tick", x: at, y: 13 }, n === 0 ? "0" : `${text} ms`));
  }
  return shapes;
}

// Every event of both traces in rows, values whole.
function tracesTable(lanes, names, findings) {
  const [ours, theirs] = [lanes.ours.map(eventOf), lanes.theirs.map(eventOf)];
  const marks = new Map();
  lanes.marks.forEach((mark, n) => {
    if (!mark) return;
    const key = mark.j === null ? `i${mark.i}` : `j${mark.j}`;
    marks.set(key, [...(marks.get(key) ?? []), n]);
  });
  const body = lanes.rows.map(([i, j]) => {
    const found = [...(marks.get(`j${j}`) ?? []), ...(marks.get(`i${i}`) ?? [])];
    const mild = found.length && found.every((n) => !findings[n].counts);
    return make("tr", { class: found.length ? `marked${mild ? " mild" : ""}` : null },
      ...cellsOf(i === null ? null : ours[i]), make("td", { class: "slim" }, found.map((n) => n + 1).join(", ")),
      ...cellsOf(j === null ? null : theirs[j]));
  });
  const heads = (name) => [make("th", { class: "slim", scope: "col" }, "iter"), make("th", { scope: "col" }, name),
    make("th", { class: "time", scope: "col" }, "at")];
  return make("table", { class: "traces" },
    make("thead", {}, make("tr", {}, ...heads(names[0]), make("th", { class: "slim", scope: "col" }, "no."), ...heads(names[1]))),
    make("tbody", {}, ...body));
}

function cellsOf(event) {
  if (event === null) return [make("td", { class: "slim" }), make("td"), make("td", { class: "time" })];
  const outside = event.kind === null ? "–" : "";
  const iteration = event.iteration ?? outside;
  const time = event.t === null ? "" : milliseconds(event.t);
  return [make("td", { class: "slim" }, iteration), make("td", {}, wholeText(event)), make("td", { class: "time" }, time)];
}
