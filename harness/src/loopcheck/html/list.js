// SPDX-License-Identifier: MIT
// The list of scenarios, in groups by verdict, and the filter. A row is a scenario; it stands in the group of the
// gravest of its verdicts, and has a cell for each target when there are several.
"use strict";

// Title, whether it is open at first, which verdicts. The first group that has a verdict of a row takes the row.
const counting = (...counts) => (word) => counts.includes(WORDS.verdict[word].counts);
const GROUPS = [
  ["Differences", true, counting("difference")],
  ["Failures of loopcheck or a scenario", true, counting("failure")],
  ["No longer as the baseline says", true, counting("stale")],
  ["Variants: nothing is promised", false, (word) => word === "variant"],
  ["Known", false, (word) => word === "known"],
  ["Unsupported", false, (word) => word === "unsupported"],
  ["Inconclusive", false, counting("inconclusive")],
  ["Skipped", false, counting("none")],
  ["Agree", false, () => true],
];

const FIELDS = ["verdict", "axis", "kind", "level", "reason", "area", "statement", "on", "id"];

// ---- filter ------------------------------------------------------------------------------------------------

// Terms of a filter: {field, value, not}. A field of "" is free text; "word" is a word of the vocabulary.
function parseFilter(text) {
  const vocabulary = new Set(Object.values(WORDS).flatMap((words) => Object.keys(words)));
  vocabulary.add("process");
  const found = text.matchAll(/(-?)(?:(\w+):)?(?:"([^"]*)"?|(\S*))/g);
  const terms = [...found].filter(([whole]) => whole).map(([whole, minus, field, quoted, plain]) => {
    const value = (quoted ?? plain ?? "").toLowerCase();
    const not = minus === "-";
    if (field && FIELDS.includes(field.toLowerCase())) return { field: field.toLowerCase(), value, not };
    if (field) return { field: "", value: whole.replace(/^-/, "").toLowerCase(), not };
    return { field: quoted === undefined && vocabulary.has(value) ? "word" : "", value, not };
  });
  return terms.filter((term) => term.value); // "axis:" is one that is being typed
}

function matches(scenario, number, terms) {
  const result = scenario.results[number];
  return result !== null && terms.every((term) => holds(scenario, result, number, term) !== term.not);
}

function holds(scenario, result, number, { field, value }) {
  switch (field) {
    case "": return searchable(scenario, result).includes(value);
    case "word": return wordsOf(result).has(value);
    case "verdict": case "axis": case "level": case "reason": return result[field] === value;
    case "kind": return result.findings.some((finding) => finding.kind === value);
    case "area": return scenario.id.split("/")[0].toLowerCase().startsWith(value);
    case "statement": return scenario.statements.some((id) => id.toLowerCase().startsWith(value));
    case "on": return DATA.columns[number].label.toLowerCase().includes(value);
    default: return scenario.id.toLowerCase().includes(value);
  }
}

function wordsOf(result) {
  return new Set([result.verdict, result.axis, result.level, result.reason,
    ...result.findings.flatMap((finding) => [finding.kind, finding.axis])]);
}

const texts = new WeakMap();

function searchable(scenario, result) {
  if (!texts.has(result)) {
    const events = result.lanes ? [...result.lanes.ours, ...result.lanes.theirs].map((event) => `${event[0]} ${event[1] ?? ""}`) : [];
    const about = [scenario.id, scenario.title, scenario.basis, ...scenario.statements, result.sentence, result.signature ?? "",
      ...result.findings.map((finding) => finding.sentence)];
    texts.set(result, [...about, ...events].join("\n").toLowerCase());
  }
  return texts.get(result);
}

// ---- rows --------------------------------------------------------------------------------------------------

function groupOf(scenario) {
  const verdicts = scenario.results.filter(Boolean).map((result) => result.verdict);
  return GROUPS.findIndex(([, , has]) => verdicts.some(has));
}

// The gravest cell of those that match: what a row opens.
function chiefColumn(scenario, columns) {
  const grave = (number) => GROUPS.findIndex(([, , has]) => has(scenario.results[number].verdict));
  return columns.reduce((best, number) => (grave(number) < grave(best) ? number : best));
}

// Rows that a filter leaves: {scenario, columns, chief, group}, in the order of the groups.
function filteredRows(filter) {
  const terms = parseFilter(filter);
  const rows = DATA.scenarios.map((scenario) => {
    const columns = scenario.results.flatMap((_, number) => (matches(scenario, number, terms) ? [number] : []));
    return { scenario, columns };
  }).filter((row) => row.columns.length);
  for (const row of rows) {
    row.group = groupOf(row.scenario);
    row.chief = chiefColumn(row.scenario, row.columns);
  }
  return rows.sort((one, other) => one.group - other.group);
}

// isOpen: Map of what the reader opened or closed. link(scenario, column): where a row leads.
function listElements(rows, filter, isOpen, link) {
  if (!rows.length) return [make("p", { class: "nothing" }, "No scenario matches this filter.")];
  const groups = GROUPS.flatMap(([title, open], number) => {
    const members = rows.filter((row) => row.group === number);
    if (!members.length) return [];
    const few = Boolean(filter.trim()) && rows.length <= 60;
    return [make("details", { class: "group", "data-group": number, open: isOpen.get(number) ?? (open || few) ? "" : null },
      make("summary", { onclick: (event) => isOpen.set(number, !event.currentTarget.parentElement.open) }, title, " ",
        make("span", { class: "number" }, members.length)),
      make("ul", {}, ...members.map((row) => rowElement(row, link))))];
  });
  return DATA.columns.length > 1 ? [columnHeads(), ...groups] : groups;
}

function rowElement({ scenario, columns, chief }, link) {
  const result = scenario.results[chief];
  const cells = DATA.columns.length > 1
    ? make("span", { class: "cells" }, ...scenario.results.map((cell, number) => cellElement(scenario, cell, number, link)))
    : badge(result.verdict);
  return make("li", { class: "row", "data-id": scenario.id },
    DATA.columns.length > 1 ? null : cells,
    make("a", { class: "name", href: link(scenario, chief) },
      scenario.title, make("span", { class: "under" }, ...breakable(underline(scenario, result)))),
    DATA.columns.length > 1 ? cells : null);
}

// Below the title: where it belongs; and why, where there is no verdict.
function underline(scenario, result) {
  if (result.reason || result.verdict === "blocked") return `${scenario.id} · ${result.sentence}`;
  return [scenario.id, result.axis].filter(Boolean).join(" · ");
}

function cellElement(scenario, result, number, link) {
  if (!result) return make("span", { class: "cell quiet" }, "");
  const label = `${DATA.columns[number].label}: ${result.verdict}${result.signature ? `, ${result.signature}` : ""}`;
  return make("a", { class: "cell", href: link(scenario, number), title: label, "aria-label": label, "data-column": number },
    badge(result.verdict, result.letter));
}

function columnHeads() {
  return make("div", { class: "heads" },
    make("p", {}, "A row for each scenario, a column for each loop. In one row, the same letter is the same difference."),
    ...DATA.columns.map(({ label }) => make("span", { class: "head", title: label }, label)));
}
