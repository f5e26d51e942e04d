// SPDX-License-Identifier: MIT
// The page's state and its keys. The state is the URL's fragment and nothing else: #id=area/name&on=2&q=filter&view=time.
// Whatever changes it ends in show(), so a link, a key, a click and the browser's back button all do the same.
"use strict";

const list = document.getElementById("list");
const pane = document.getElementById("pane");
const filterBox = document.getElementById("filter");
const help = document.getElementById("help");
const narrow = window.matchMedia("(max-width: 940px)");
const openGroups = new Map();
let rows = [];
let shown = { id: null, on: null, q: null, view: null };

// ---- state -------------------------------------------------------------------------------------------------

function readState() {
  const words = new URLSearchParams(location.hash.slice(1));
  const on = Math.max(0, Number.parseInt(words.get("on") ?? "1", 10) - 1) || 0;
  return { id: words.get("id") ?? "", on, q: words.get("q") ?? "", view: words.get("view") ?? "order" };
}

function hashOf({ id, on, q, view }) {
  const words = [];
  const encode = (text) => encodeURIComponent(text).replaceAll("%2F", "/").replaceAll("%3A", ":");
  if (id) words.push(`id=${encode(id)}`);
  if (id && on) words.push(`on=${on + 1}`);
  if (q) words.push(`q=${encode(q)}`);
  if (view !== "order") words.push(`view=${view}`);
  return `#${words.join("&")}`;
}

// Go to another state. replace: without a step in the browser's history.
function go(changes, replace = false) {
  const hash = hashOf({ ...readState(), ...changes });
  if (replace) {
    history.replaceState(null, "", hash);
    show();
  } else if (hash !== location.hash) location.hash = hash;
}

function show() {
  const state = readState();
  if (state.q !== shown.q) showList(state);
  const scenario = DATA.scenarios.find((one) => one.id === state.id);
  if (scenario && !scenario.results[state.on]) state.on = scenario.results.findIndex(Boolean);
  const same = state.id === shown.id && state.on === shown.on && state.view === shown.view;
  if (!same) showPane(scenario, state);
  shown = state;
  markCurrent(state);
}

function showList(state) {
  if (filterBox.value !== state.q && document.activeElement !== filterBox) filterBox.value = state.q;
  if (filterBox.value.trim() !== state.q.trim()) filterBox.value = state.q;
  rows = filteredRows(state.q);
  const link = (scenario, on) => hashOf({ id: scenario.id, on, q: state.q, view: readState().view });
  list.replaceChildren(...listElements(rows, state.q, openGroups, link));
  document.getElementById("matches").textContent = `${rows.length} of ${DATA.scenarios.length}`;
}

function showPane(scenario, state) {
  document.documentElement.classList.toggle("open", Boolean(scenario || state.id));
  if (!scenario) {
    const lost = state.id ? [make("p", {}, `There is no scenario “${state.id}” in these results.`), backButton()] : [];
    pane.replaceChildren(...lost);
    return;
  }
  const choose = (changes) => go("column" in changes ? { on: changes.column } : changes, true);
  pane.replaceChildren(backButton(), scenarioElement(scenario, state.on, state.view, choose));
  if (state.id !== shown.id && pane.getBoundingClientRect().top < 0) pane.scrollIntoView();
}

function backButton() {
  return make("button", { type: "button", id: "back", onclick: () => go({ id: "" }) }, "← all scenarios");
}

function markCurrent({ id, on }) {
  for (const row of list.querySelectorAll(".row")) {
    const isCurrent = row.dataset.id === id;
    row.classList.toggle("current", isCurrent);
    setCurrent(row.querySelector("a.name"), isCurrent);
    for (const cell of row.querySelectorAll("a.cell")) setCurrent(cell, isCurrent && Number(cell.dataset.column) === on);
    if (isCurrent && !narrow.matches) row.scrollIntoView({ block: "nearest" });
  }
}

function setCurrent(link, isCurrent) {
  if (isCurrent) link.setAttribute("aria-current", "true");
  else link.removeAttribute("aria-current");
}

// ---- keys --------------------------------------------------------------------------------------------------

// Open the scenario before or after this one, of those whose group is open.
function step(by) {
  const groupIsOpen = (number) => list.querySelector(`[data-group="${number}"]`)?.open;
  const visible = rows.filter((row) => groupIsOpen(row.group));
  if (!visible.length) return;
  const at = visible.findIndex((row) => row.scenario.id === shown.id);
  const next = at < 0 ? (by > 0 ? 0 : visible.length - 1) : Math.min(visible.length - 1, Math.max(0, at + by));
  go({ id: visible[next].scenario.id, on: visible[next].chief }, true);
}

function nextView() {
  const buttons = [...pane.querySelectorAll(".views .tabs button")];
  const at = buttons.findIndex((button) => button.getAttribute("aria-pressed") === "true");
  buttons[(at + 1) % buttons.length]?.click();
}

function escape() {
  if (document.activeElement === filterBox) filterBox.blur();
  else if (shown.id) go({ id: "" });
  else if (shown.q) go({ q: "" });
}

const KEYS = {
  j: () => step(1), ArrowDown: () => step(1), k: () => step(-1), ArrowUp: () => step(-1),
  Enter: () => (shown.id ? pane.focus() : step(1)),
  "/": () => (shown.id && narrow.matches ? go({ id: "" }, true) : null, filterBox.focus(), filterBox.select()),
  v: nextView, t: switchTheme, "?": () => help.showModal(), Escape: escape,
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
  const typing = event.target === filterBox;
  if (typing && !["Escape", "Enter", "ArrowDown"].includes(event.key)) return;
  if (!typing && event.key === "Enter" && event.target.closest?.("a, button, summary, [role=button]")) return;
  if (event.key.startsWith("Arrow") && pane.contains(event.target)) return; // they scroll what has the focus
  const action = KEYS[event.key];
  if (!action) return;
  event.preventDefault();
  if (typing && event.key !== "Escape") filterBox.blur();
  action();
});

// ---- theme, copying, printing ---------------------------------------------------------------------------------

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
}

function switchTheme() {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("loopcheck-theme", document.documentElement.dataset.theme);
  } catch { /* a page from a file may have no storage */ }
  labelTheme();
}

function labelTheme() {
  document.getElementById("theme").textContent = isDark() ? "light" : "dark";
}

async function copy(button) {
  const text = button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch { // a page from a file may not be allowed to; selecting it is what is left
    getSelection().selectAllChildren(button.previousElementSibling);
    document.execCommand("copy");
  }
  button.textContent = "copied";
  setTimeout(() => { button.textContent = "copy"; }, 1500);
}

// Paper has no list to choose from: every difference that the filter leaves is printed, one after the other.
function fillPrinted() {
  document.querySelector("details.about").open = true;
  const printed = document.getElementById("printed");
  const worth = rows.filter((row) => !["agree", "skipped", "blocked"].includes(row.scenario.results[row.chief].verdict));
  const pages = shown.id ? [] : worth.flatMap((row) => row.columns.map((number) => scenarioElement(row.scenario, number, "order", () => {}, 680)));
  printed.replaceChildren(...pages);
}

// The legend explains a drawing of this very run: one with an event that moved, if there is one.
function showExample() {
  const suits = ({ lanes, findings }) => {
    const at = lanes?.marks.findIndex((mark, n) => mark && mark.i !== null && mark.j !== null && findings[n].kind === "order") ?? -1;
    return at >= 0 && lanes.rows.length <= 12 ? 1 + Number(findings[at].counts) : Number(Boolean(lanes?.marks.some(Boolean))) / 2;
  };
  const all = DATA.scenarios.flatMap((scenario) => scenario.results.flatMap((result, on) => (result ? [{ scenario, result, on }] : [])));
  const best = all.reduce((one, other) => (one && suits(one.result) >= suits(other.result) ? one : other), null);
  if (!best || !suits(best.result)) return;
  const { scenario, result: { lanes, findings }, on } = best;
  const [figure, canvas] = [document.getElementById("example"), make("div")];
  figure.append(canvas, make("figcaption", {}, "From ", make("a", { href: hashOf({ id: scenario.id, on, q: "", view: "order" }) }, scenario.id),
    findings.map((finding, n) => `${n ? "" : ":"} (${n + 1}) ${finding.sentence}`)));
  fillCanvas(canvas, { lanes, names: [DATA.columns[on].oracle, DATA.columns[on].name], findings }, "order", null, figure);
}

function start() {
  showExample();
  filterBox.addEventListener("input", () => go({ q: filterBox.value }, true));
  document.getElementById("theme").addEventListener("click", switchTheme);
  document.getElementById("help-button").addEventListener("click", () => help.showModal());
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-copy]");
    if (button) copy(button);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", labelTheme);
  window.addEventListener("hashchange", show);
  window.addEventListener("beforeprint", fillPrinted);
  if (narrow.matches) document.querySelector("details.about").open = false;
  labelTheme();
  show();
}

start();
