// SPDX-License-Identifier: MIT
// One scenario on one target: what the pane shows, and what is printed. Everything here is made from the data; the
// drawing is made when its width is known.
"use strict";

const MOST_FINDINGS = 12; // shown at once, of a scenario with more
const LONGEST_SENTENCE = 400; // characters

const VIEWS = { order: "in order", time: "against the clock", table: "as a table" };

// scenario: from the data. column: index of the target. view: one of VIEWS. choose(changes): go elsewhere.
function scenarioElement(scenario, column, view, choose, fixedWidth = null) {
  const result = scenario.results[column];
  const names = [DATA.columns[column].oracle, DATA.columns[column].name];
  const element = make("div", { class: "scenario" },
    make("h2", {}, scenario.title),
    make("p", { class: "meta" }, make("code", {}, ...breakable(scenario.id)), ...(fixedWidth ? [make("span", {}, DATA.columns[column].label)] : [])),
    DATA.columns.length > 1 && !fixedWidth ? columnTabs(scenario, column, choose) : null,
    verdictLine(result), knownCard(result), frequencies(result));
  element.append(evidence(scenario, result, names, view, choose, fixedWidth));
  if (result.output) element.append(make("h3", {}, "What the process wrote last"), make("pre", { class: "output", tabindex: 0 }, result.output));
  element.append(...statementsOf(scenario), ...reproduction(scenario, column), ...sourceOf(scenario, result));
  return element;
}

function columnTabs(scenario, column, choose) {
  const tabs = DATA.columns.map(({ label }, number) => {
    const result = scenario.results[number];
    if (!result) return null;
    return make("button", { type: "button", "aria-pressed": String(number === column), onclick: () => choose({ column: number }) },
      badge(result.verdict, result.letter), ` ${label}: ${result.verdict}`);
  });
  return make("div", { class: "tabs" }, ...tabs);
}

function verdictLine(result) {
  const details = [result.axis && `axis ${result.axis}`, `level ${result.level}`, result.signature && `signature ${result.signature}`];
  const reason = result.reason ? ` ${WORDS.reason[result.reason]}` : "";
  return make("div", { class: "verdict" }, badge(result.verdict), make("strong", {}, result.verdict),
    WORDS.verdict[result.verdict].means + reason,
    make("div", { class: "meta" }, ...details.filter(Boolean).map((text) => make("span", {}, text))),
    result.findings.length || !result.sentence ? null : make("p", {}, result.sentence));
}

function knownCard({ known }) {
  if (!known) return null;
  return make("div", { class: "card" },
    make("p", {}, make("strong", {}, "In the baseline: "), known.reason, " ",
      known.link ? make("a", { href: known.link, rel: "noreferrer" }, known.link) : known.url),
    make("p", { class: "meta" }, make("code", {}, known.signature),
      known.line ? make("span", {}, `line ${known.line} of the baseline`) : null,
      known.expires ? make("span", {}, `expires ${known.expires}`) : null));
}

// How often it was seen, where that was not in every run.
function frequencies({ repeats }) {
  if (!repeats || repeats.outcomes.length <= 1) return null;
  const { outcomes } = repeats;
  return make("div", { class: "card" },
    make("p", {}, make("strong", {}, `Seen in ${repeats.seen} of ${repeats.of} runs.`)),
    make("table", {}, make("tbody", {}, ...outcomes.map(({ signature, count }) =>
      make("tr", {}, make("td", { class: "number" }, count), make("td", {}, signature === null ? "agreed" : make("code", {}, signature)))))));
}

// ---- drawing and sentences ----------------------------------------------------------------------------------

function evidence(scenario, result, names, view, choose, fixedWidth) {
  const { lanes, findings } = result;
  const box = make("div", { class: `evidence${findings.length ? " has-findings" : ""}` });
  if (findings.length) box.append(make("div", { class: "beside" }, findingsList(findings, lanes, box, Boolean(fixedWidth))));
  if (!lanes) {
    if (result.verdict === "agree") box.append(make("p", { class: "quiet" }, "The drawings of scenarios that agree were left out, to keep this file small."));
    return box;
  }
  if (!lanes.ours.length && !lanes.theirs.length && !lanes.end) {
    box.append(make("p", { class: "quiet" }, "Neither loop traced an event in it."));
    return box;
  }
  const possible = Object.keys(VIEWS).filter((word) => word !== "time" || timedPairs(lanes, findings).length);
  const shown = possible.includes(view) ? view : "order";
  const tabs = make("div", { class: "tabs", role: "group", "aria-label": "View of the traces" }, ...possible.map((word) =>
    make("button", { type: "button", "aria-pressed": String(word === shown), onclick: () => choose({ view: word }) }, VIEWS[word])));
  const canvas = make("div", { class: "canvas" });
  box.append(make("div", { class: "views" }, tabs, canvas));
  fillCanvas(canvas, { lanes, names, findings }, shown, fixedWidth, box);
  return box;
}

// Draw, and again whenever the width changes or a stretch of rows is unfolded.
function fillCanvas(canvas, facts, view, fixedWidth, box) {
  const unfolded = new Set();
  const redraw = (width) => {
    const onUnfold = (start) => {
      unfolded.add(start);
      redraw(width);
    };
    const made = view === "table" ? tracesTable(facts.lanes, facts.names, facts.findings)
      : (view === "time" ? drawClock : drawTimeline)({ ...facts, width, unfolded, onUnfold });
    canvas.replaceChildren(made);
  };
  connectHover(canvas, facts, box);
  if (fixedWidth) {
    redraw(fixedWidth);
    return;
  }
  let last = 0;
  new ResizeObserver(() => {
    const width = Math.max(240, Math.min(920, Math.floor(canvas.clientWidth)));
    if (canvas.clientWidth && width !== last) redraw(last = width);
  }).observe(canvas);
}

function findingsList(findings, lanes, box, all) {
  const items = findings.map((finding, n) => {
    const mark = lanes?.marks[n];
    const note = [finding.kind, finding.level, finding.counts ? "" : "does not count at this level",
      lanes && !mark ? "about no single event" : "", triesText(mark?.tries ?? [])].filter(Boolean).join(", ");
    return make("li", { class: finding.counts ? null : "mild", "data-n": n, onmouseenter: () => light(box, n), onmouseleave: () => light(box, null) },
      make("span", { class: "numeral" }, n + 1), make("span", {}, cut(finding.sentence), make("small", { title: WORDS.kind[finding.kind].means }, note)));
  });
  if (all || items.length <= MOST_FINDINGS + 2) return make("ol", { class: "findings" }, ...items);
  const rest = items.splice(MOST_FINDINGS);
  return make("div", {}, make("ol", { class: "findings" }, ...items),
    make("details", {}, make("summary", {}, `${rest.length} more differences`), make("ol", { class: "findings" }, ...rest)));
}

// How late it was in each run, where there were several with ticks of different length.
function triesText(tries) {
  if (tries.length < 2) return "";
  return `by ${tries.map(([, late]) => milliseconds(late / 1e6)).join(", ")} in runs with ticks of ${tries.map(([tick]) => tick).join(", ")} ms`;
}

function cut(sentence) {
  if (sentence.length <= LONGEST_SENTENCE) return sentence;
  return make("span", { title: sentence }, `${sentence.slice(0, LONGEST_SENTENCE)}…`);
}

// Emphasise what belongs to a finding.
function light(box, n) {
  for (const element of box.querySelectorAll("[data-n]")) {
    element.classList.toggle("lit", n !== null && element.getAttribute("data-n") === String(n));
  }
}

function connectHover(canvas, { lanes }, box) {
  const toOurs = new Map(lanes.links.map(([i, j]) => [String(j), String(i)]));
  canvas.addEventListener("mouseover", ({ target }) => {
    const n = target.getAttribute?.("data-n");
    const i = target.getAttribute?.("data-i") ?? toOurs.get(target.getAttribute?.("data-j")) ?? null;
    light(box, n === null || n === undefined ? null : Number(n));
    for (const path of canvas.querySelectorAll("path.thread")) path.classList.toggle("lit", i !== null && path.getAttribute("data-i") === i);
  });
}

// ---- statements, source, commands -----------------------------------------------------------------------------

function statementsOf(scenario) {
  if (!scenario.statements.length) return [make("h3", {}, "Basis"), make("p", {}, scenario.basis)];
  return [make("h3", {}, "What the documentation says"), ...scenario.statements.map((id) => {
    const about = DATA.statements[id];
    return make("div", { class: "statement" }, about ? make("span", { class: "text" }, about.text) : null,
      make("span", { class: "under" }, make("code", {}, id), about ? ` · ${about.status}` : "",
        about?.url ? [" · ", make("a", { href: about.url, rel: "noreferrer" }, "documentation")] : ""));
  }), scenario.basis ? make("p", { class: "quiet" }, scenario.basis) : null].filter(Boolean);
}

function reproduction(scenario, column) {
  const commands = DATA.columns[column].commands.map((text) => text.replace("{id}", scenario.id));
  return [make("h3", {}, "Reproduce"), ...commands.map(command)];
}

function sourceOf(scenario, result) {
  if (!scenario.source) return scenario.file ? [make("p", { class: "meta" }, make("code", {}, `${scenario.file}, line ${scenario.line}`))] : [];
  const names = new Map(result.findings.flatMap((finding) => (finding.event ? [[finding.event, finding.counts]] : [])));
  const lines = scenario.source.replace(/\n+$/, "").split("\n").map((text, n) => sourceLine(text, scenario.line + n, names));
  return [make("h3", {}, "Source"),
    make("p", { class: "meta" }, make("code", {}, `${scenario.file}, line ${scenario.line}`)),
    make("pre", { class: "source", tabindex: 0 }, ...lines.flatMap((line) => [line, "\n"]).slice(0, -1))];
}

// A line that names an event of a finding is marked like it.
function sourceLine(text, number, names) {
  const named = [...names].filter(([name]) => text.includes(`"${name}"`) || text.includes(`'${name}'`));
  const look = named.length ? `at${named.every(([, counts]) => !counts) ? " mild" : ""}` : null;
  const comment = text.search(/(^|\s)#(?!.*["'])/);
  const parts = comment < 0 ? [text] : [text.slice(0, comment), make("span", { class: "comment" }, text.slice(comment))];
  return make("span", { class: look }, make("span", { class: "n" }, number), ...parts);
}
