// SPDX-License-Identifier: MIT
// The data of the page, and how elements are made. Text becomes text nodes and nothing else: no markup is ever built
// from strings, so a traced text cannot become an element.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const WORDS = DATA.words;
const SVG = "http://www.w3.org/2000/svg";

// What is empty or usual is not in the file, and what is the same is there once (sharing.py).
const NOTHING = { verdict: "agree", axis: "", signature: null, reason: "", sentence: "", findings: [], repeats: null, known: null, lanes: null, output: "" };
for (const scenario of DATA.scenarios) {
  const pieceOf = (piece) => (piece === null ? scenario.title : typeof piece === "number" ? DATA.lines[piece] : piece);
  scenario.source = scenario.source.map(pieceOf).join("");
  const resultOf = (result) => (typeof result === "number" ? scenario.results[result] : result);
  scenario.results = scenario.results.map(resultOf).map((result) => result && { ...NOTHING, level: scenario.level, ...result });
  for (const { lanes } of scenario.results.filter(Boolean)) {
    if (!lanes) continue;
    lanes.theirs ??= lanes.ours;
    lanes.marks ??= [];
    lanes.end ??= "";
    lanes.rows ??= lanes.links = lanes.ours.map((_, n) => [n, n]);
  }
}

for (const statement of Object.values(DATA.statements)) {
  if (statement.url) statement.url = DATA.pages[statement.url[0]] + statement.url[1];
}

// make("a", {href: "#"}, "text", other): an element. An attribute that is null or false is left out.
function make(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children);
}

function draw(name, attributes, ...children) {
  return filled(document.createElementNS(SVG, name), attributes, children);
}

function filled(element, attributes, children) {
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false && child !== ""));
  return element;
}

function badge(verdict, letter) {
  const word = WORDS.verdict[verdict];
  const text = word.symbol + (letter ?? "");
  return make("span", { class: `badge v-${verdict} c-${word.counts}`, "aria-hidden": "true" }, text);
}

function plural(number, one, many) {
  return `${number} ${number === 1 ? one : many ?? one + "s"}`;
}

function command(text) {
  return make("p", { class: "command" }, make("code", {}, text),
    make("button", { type: "button", class: "copy", "data-copy": text }, "copy"));
}

// A text whose long words may break where their parts end.
function breakable(text) {
  return text.split(/(?<=[_/.])/).flatMap((part) => [part, document.createElement("wbr")]);
}

// An event from what the data have: [name, values, iteration, t, due, kind, actor]. Times become seconds.
function eventOf(facts) {
  const [name, values = "", iteration = null, t = null, due = null, kind = null, actor = ""] = facts;
  const seconds = (time) => (time === null ? null : time / 1e6);
  return { actor, name, values, iteration, t: seconds(t), due: seconds(due), kind, label: actor ? `${actor}: ${name}` : name };
}

function wholeText(event) {
  const kind = event.kind && event.kind !== "user" ? `${event.kind} ` : "";
  return `${kind}${event.label} ${event.values}`.trim();
}

const ruler = document.createElement("canvas").getContext("2d");
const fitted = new Map();

// The longest beginning of a text that fits into so many pixels, with … where something is left out.
function fit(text, pixels, size) {
  const key = `${size} ${Math.round(pixels)} ${text}`;
  if (fitted.has(key)) return fitted.get(key);
  ruler.font = `${size}px ${getComputedStyle(document.documentElement).getPropertyValue("--code")}`;
  let kept = text.slice(0, 400);
  if (ruler.measureText(kept).width > pixels || kept.length < text.length) {
    let [low, high] = [0, kept.length];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (ruler.measureText(kept.slice(0, middle) + "…").width <= pixels) low = middle;
      else high = middle - 1;
    }
    kept = low ? kept.slice(0, low).trimEnd() + "…" : "";
  }
  fitted.set(key, kept);
  return kept;
}

function widthOf(text, size) {
  ruler.font = `${size}px ${getComputedStyle(document.documentElement).getPropertyValue("--code")}`;
  return ruler.measureText(text).width;
}
