// The page: what the URL asks for is fetched, shown, and fetched again when the log has grown.
"use strict";

// A line is on the page within a second: this long after the last look, and what looking and showing takes.
const LIVE_MS = 250;
const BUSY_MS = 400;  // where something was new: faster than anybody reads, and a log that grows all the time may rest

let live = true;
let asked = 0;  // which answer is still wanted
let versions = {};
let overviewDueMs = 0;
let overviewRunning = false;
let timer = 0;
let selected = -1;
let lastOverview = null;
let allRead = false;
let refused = -1;  // the question that was refused, and is not asked again

async function ask(path, version) {
  const query = parameters();
  if (version) query.set("version", version);
  const response = await fetch(`api/${path}?${query}`, {cache: "no-store"});
  if (response.status === 204) return null;
  if (response.ok) return response.json();
  const type = response.headers.get("Content-Type") || "";
  const told = type.includes("json") ? await response.json() : {problem: (await response.text()).trim()};
  throw Object.assign(new Error(told.problem), {field: told.field, status: response.status});
}

// What is wrong, and the field that is.
function tellProblem(text, name = null) {
  const wrong = name ? document.querySelector(`#f-${CSS.escape(name)}`) : null;
  const label = wrong?.labels[0]?.firstChild.textContent;
  const told = label ? `${label}: ${text.startsWith(`${name}: `) ? text.slice(name.length + 2) : text}` : text;
  const problem = byId("problem");
  if (problem.textContent !== told) problem.textContent = told;
  problem.hidden = !told;
  for (const field of document.querySelectorAll("[aria-invalid]")) {
    if (field === wrong) continue;
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  }
  wrong?.setAttribute("aria-invalid", "true");
  wrong?.setAttribute("aria-describedby", "problem");
}

// Whether the same question would be refused again; what was too much, or too late, may be answered another time.
const isRefusal = status => status >= 400 && status < 500 && ![408, 429].includes(status);

function start() {
  asked += 1;
  versions = {};
  overviewDueMs = 0;
  selected = -1;
  setBusy(true);
  poll();
}

// What stands there is of another question, until the figures of this one come.
function setBusy(busy) {
  document.querySelector("main").setAttribute("aria-busy", String(busy));
}

async function poll() {
  clearTimeout(timer);
  const mine = asked;
  if (mine === refused) return;
  let waitMs = LIVE_MS;
  try {
    const found = await ask("requests", versions.requests);
    if (mine !== asked) return;
    if (found) {
      versions.requests = found.version;
      if (!allRead && found.share_read === 1) overviewDueMs = 0;  // the figures of a part were the last ones
      allRead = found.share_read === 1;
      showState(found);
      showRows(found);
      bringIntoView();
      waitMs = BUSY_MS;
    }
    tellProblem("");
    if (performance.now() >= overviewDueMs && !overviewRunning) showOverviewSoon(mine);
  } catch (error) {
    if (mine !== asked) return;
    tellProblem(error instanceof TypeError ? "The server does not answer; trying again." : error.message, error.field);
    setBusy(false);
    if (isRefusal(error.status)) {
      refused = mine;
      return;
    }
    waitMs = 3000;
  }
  if (live && !document.hidden) timer = setTimeout(poll, waitMs);
}

async function showOverviewSoon(mine) {
  overviewRunning = true;
  const beganMs = performance.now();
  let isPart = false;
  try {
    const found = await ask("overview", lastOverview && beganMs - lastOverview < 30000 ? versions.overview : null);
    if (mine !== asked) return;
    if (found) {
      versions.overview = found.version;
      lastOverview = beganMs;
      isPart = found.share_read < 1;
      showOverview(found);
      setBusy(false);
      bringIntoView();
      if (versions.requests) sought = null;
    }
  } catch (error) {
    if (mine === asked) {
      tellProblem(error.message, error.field);
      setBusy(false);
    }
  } finally {
    overviewRunning = false;
    // What is costly to make is asked for less often.
    const tookMs = performance.now() - beganMs;
    overviewDueMs = mine !== asked || (isPart && allRead) ? 0 : performance.now() + Math.max(1500, 10 * tookMs);
    if (mine !== asked) showOverviewSoon(asked);
  }
}

function showState(found) {
  const parts = [found.requests ? `${whole.format(found.requests)} ${found.requests === 1 ? "request" : "requests"}` : "No requests yet"];
  if (found.share_read < 1) parts.push(found.full ? "the latest ones" : `reading older ones: ${Math.floor(100 * found.share_read)}%`);
  const text = parts.join(", ");
  if (byId("state").textContent !== text) byId("state").textContent = text;
  const given = parameters(), ranges = [...byId("f-range").options];
  ranges[0].textContent = given.get("since") || given.get("until") ? "set by Since, Until"
    : found.range && !given.get("range") ? `auto: ${ranges.find(option => option.value === found.range)?.textContent ?? ""}` : "automatic";
}

function setLive(on) {
  live = on;
  byId("live").setAttribute("aria-pressed", String(on));
  if (on) poll();
  else clearTimeout(timer);
}

function select(step) {
  const links = [...document.querySelectorAll("#rows tbody a")];
  if (!links.length) return;
  const now = links.indexOf(document.activeElement);
  selected = Math.min(links.length - 1, Math.max(0, (now < 0 ? (step > 0 ? -1 : links.length) : now) + step));
  links[selected].focus();
}

form.addEventListener("submit", event => { event.preventDefault(); fromForm(); });
form.addEventListener("change", fromForm);
for (const name of ["f-by", "f-order"]) byId(name).addEventListener("change", fromForm);
byId("clear").addEventListener("click", event => { event.preventDefault(); history.pushState(null, "", location.pathname); showParameters(); start(); });
byId("live").addEventListener("click", () => setLive(!live));
byId("more").addEventListener("click", () => go({n: String(Math.min(1000, Number(parameters().get("n") || 100) * 2))}, {replace: true}));
for (const button of document.querySelectorAll("#groups [data-sort]")) {
  button.addEventListener("click", () => go({sort: button.dataset.sort}, {replace: true}));
}
for (const button of document.querySelectorAll("[data-find]")) button.addEventListener("click", () => findOut(button.dataset.find));
addEventListener("popstate", () => { showParameters(); start(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden && live) poll(); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  requestsChart.forget();
  latencyChart.forget();
  if (shownOverview) showOverview(shownOverview);
});
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const actions = {"/": () => byId("f-path").focus(), p: () => setLive(!live), j: () => select(1), k: () => select(-1)};
  if (actions[event.key]) {
    event.preventDefault();
    actions[event.key]();
  }
});

try { sessionStorage.setItem("overcoat.logs", location.search); } catch { /* private windows may refuse */ }
addEventListener("pagehide", () => { try { sessionStorage.setItem("overcoat.logs", location.search); } catch { /* as above */ } });
for (const place of document.querySelectorAll(".zone")) place.textContent = `(${zone})`;
showParameters();
poll();
