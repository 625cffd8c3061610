// What the URL says is shown: read from it, written to it, and put into the form.
"use strict";

const form = document.getElementById("filters");
const byId = name => document.getElementById(name);
const GROUP_NAMES = Object.fromEntries([...byId("f-by").options].map(option => [option.value, option.textContent]));
const DEFAULTS = {by: "route", order: "latest", sort: "requests"};
const CHOSEN_NAMES = {method: "method", host: "host", user_agent: "user agent", error_type: "error", error_at: "place", outcome: "outcome"};

const parameters = () => new URLSearchParams(location.search);

// An empty value stands for none of its kind, where one is given for a name in `none`; elsewhere it asks for nothing.
function go(changes, {replace = false, none = []} = {}) {
  const next = parameters();
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || (value === "" && !none.includes(name)) || value === DEFAULTS[name]) next.delete(name);
    else next.set(name, value);
  }
  const query = next.toString();
  const url = query ? `?${query}` : location.pathname;
  if (query !== location.search.slice(1)) history[replace ? "replaceState" : "pushState"](null, "", url);
  showParameters();
  start();
}

function showParameters() {
  const given = parameters();
  for (const field of form.elements) {
    if (!field.name) continue;
    if (field.type === "checkbox") field.checked = given.get(field.name) === field.value;
    else if (field.type === "hidden") field.value = given.get(field.name) ?? "";
    else field.value = given.get(field.name) ?? DEFAULTS[field.name] ?? "";
  }
  const chosen = byId("chosen");
  chosen.replaceChildren();
  for (const [name, label] of Object.entries(CHOSEN_NAMES)) {
    if (!given.has(name)) continue;
    const button = element("button", {type: "button", "aria-label": `Remove the filter ${label}`}, "×");
    button.addEventListener("click", () => { const next = parameters(); next.delete(name); history.pushState(null, "", `?${next}`); showParameters(); start(); });
    chosen.append(element("span", {class: "chip"}, `${label}: ${given.get(name) || "none"} `, button));
  }
  chosen.hidden = !chosen.childElementCount;
  for (const button of document.querySelectorAll("[data-find]")) {
    const wanted = [...new URLSearchParams(button.dataset.find)];
    button.setAttribute("aria-pressed", String(wanted.every(([name, value]) => (given.get(name) ?? DEFAULTS[name]) === value)));
  }
}

// A question replaces the one before it; the filters stay, that of errors only excepted.
function findOut(query) {
  const wanted = new URLSearchParams(query);
  go({by: null, sort: null, order: null, errors: null, n: null, ...Object.fromEntries(wanted)});
  sought = byId(wanted.has("order") ? "requests" : "by-group");
  bringIntoView();
}

let sought = null;  // the section with the answer to a question, until it stands there or somebody moves on

// The first rows of an answer are seen, and not its heading alone.
function bringIntoView() {
  if (!sought) return;
  const rows = sought.querySelectorAll("tbody tr");
  const last = rows[Math.min(rows.length, 6) - 1] ?? sought;
  if (sought.getBoundingClientRect().top < 0 || last.getBoundingClientRect().bottom > innerHeight) sought.scrollIntoView({block: "start"});
}

for (const moved of ["wheel", "touchmove", "pointerdown", "keydown"]) {
  document.addEventListener(moved, () => { sought = null; }, {capture: true, passive: true});
}

// Of what says which time is meant the last word counts.
function fromForm(event) {
  if (event?.target.name === "range") for (const name of ["since", "until"]) byId(`f-${name}`).value = "";
  const changes = {n: null};
  for (const field of form.elements) {
    if (!field.name || field.type === "hidden") continue;
    changes[field.name] = field.type === "checkbox" ? (field.checked ? field.value : null) : field.value.trim();
  }
  if (changes.since) changes.range = null;
  go(changes);
}

function choose(name, value, place) {
  if (name === "status") return go({status: value});
  if (name === "error_type" && value !== null) return go({error_type: value, error_at: place ?? ""}, {none: ["error_at"]});
  if (value === null) return go({[name]: ""}, {none: [name]});
  // A route is a pattern there: what is special in one stands in brackets.
  return go({[name]: name === "route" && /[*?[]/.test(value) ? value.replace(/[*?[]/g, "[$&]") : value});
}

function zoom(firstSeconds, lastSeconds) {
  if (firstSeconds === undefined) return go({since: null, until: null});
  const iso = seconds => new Date(seconds * 1000).toISOString().replace(/\.\d+Z$/, "Z");
  const first = Math.floor(firstSeconds);
  return go({range: null, since: iso(first), until: iso(Math.max(first + 1, Math.ceil(lastSeconds)))});
}
