// What was answered, shown: the requests, the figures of all of them, and those of each group.
"use strict";

const ENDED_NORMALLY = [undefined, "complete", "handed_off"];  // the last: the server sent the file itself

let shownRows = "";

function requestText(row) {
  return `${row.method ?? "–"} ${row.path ?? "–"}${row.query ? `?${row.query}` : ""}`;
}

function showRows(found) {
  const limit = Number(parameters().get("n") || 100);
  byId("rows-note").replaceChildren(...rowsNote(found));
  byId("more").hidden = found.rows.length < limit || limit >= 1000;
  const form = listForm(found.rows.filter(row => row.at_ms !== undefined).map(row => new Date(row.at_ms)));
  // Rows that stay stay untouched, and with them what somebody is just marking.
  const told = JSON.stringify([location.search, form === timeOfDay, found.rows]);
  if (told === shownRows) return;
  shownRows = told;
  const body = byId("rows").tBodies[0];
  const focused = document.activeElement?.closest?.("#rows a")?.getAttribute("href");
  body.replaceChildren(...found.rows.map(row => {
    const when = row.at_ms === undefined ? null : new Date(row.at_ms);
    const ended = ENDED_NORMALLY.includes(row.outcome) ? null
      : element("span", {class: row.outcome === "failed" ? "outcome bad" : "outcome"}, row.error_type ? `${row.outcome}: ${row.error_type}` : row.outcome);
    const link = row.request_id
      ? element("a", {href: `request?id=${encodeURIComponent(row.request_id)}`}, ...breaking(requestText(row))) : element("span", {}, ...breaking(requestText(row)));
    return element("tr", {},
      element("td", {class: "time"}, when === null ? "–" : element("time", {datetime: when.toISOString(), title: when.toISOString()}, form.format(when))),
      element("td", {}, row.status === undefined ? "–" : element("span", {class: `status s${Math.floor(row.status / 100)}`}, String(row.status))),
      element("td", {class: "number"}, formatDuration(row.duration_ms)),
      element("td", {class: "request"}, link, ended ? " " : null, ended),
      element("td", {class: "number"}, formatBytes(row.response_bytes)),
      element("td", {}, row.client ? filterButton("client", row.client, row.client) : "–"),
      element("td", {class: "id"}, element("code", {}, row.id ?? "–")));
  }));
  if (focused) body.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus({preventScroll: true});
}

function rowsNote(found) {
  if (found.rows.length) return [`${whole.format(found.rows.length)} shown.`];
  const given = parameters(), id = given.get("id");
  const filters = [...given.keys()].filter(name => !["id", "range", "by", "sort", "order", "n"].includes(name));
  if (id && found.range === "all" && found.share_read === 1 && !found.full && !filters.length) {
    return [`No request of the log has an id that begins with “${id}”. `, element("a", {href: `request?id=${encodeURIComponent(id)}`}, "Look for it in what the app logged")];
  }
  const text = found.share_read < 1 && !found.full ? "No request matches so far: older ones are being read." : "No request matches.";
  // What the index has no room for, or has not yet, may still be in the log.
  return id ? [`${text} `, element("a", {href: `request?id=${encodeURIComponent(id)}`}, "Look for the id in the whole log")] : [text];
}

function filterButton(name, value, label, place) {
  const button = element("button", {type: "button", class: "plain", title: `Only this ${GROUP_NAMES[name] ?? name}`}, ...breaking(label));
  button.addEventListener("click", () => choose(name, value, place));
  return button;
}

const requestsChart = new RequestsChart(zoom);
const latencyChart = new LatencyChart(zoom);
let shownOverview = null;

function showOverview(found) {
  shownOverview = found;
  const {total} = found;
  const span = `from ${dayAndTime.format(found.since_ms)} to ${dayAndTime.format(found.until_ms)}`;
  requestsChart.draw(found, found.step_s, `${whole.format(total.requests)} requests ${span}, ${whole.format(total.errors)} of them failed.`);
  latencyChart.draw(found, found.step_s, `Latency ${span}: ${["p50", "p95", "p99"].map(name => `${name} ${formatDuration(total[name])}`).join(", ")}.`);
  const seconds = Math.max(1, (found.until_ms - found.since_ms) / 1000);
  byId("total").replaceChildren(...[
    ["Requests", whole.format(total.requests)],
    ["Rate", total.requests ? formatRate(total.requests, seconds) : "–"],
    ["Errors", formatShare(total.errors, total.requests)],
    ["p50", formatDuration(total.p50)], ["p95", formatDuration(total.p95)], ["p99", formatDuration(total.p99)],
    ["Bytes", formatBytes(total.bytes)],
  ].map(([name, value]) => element("div", {class: name === "Errors" && isBad(total) ? "bad" : null}, element("dt", {}, name), element("dd", {}, value))));
  showScope(found);
  showGroups(found);
}

// From this share on errors are red: below it they are told, and do not shout.
const isBad = figures => figures.errors >= 0.05 * figures.requests && figures.errors > 0;

// Which requests the figures and tables are of: of which time, and of how much of the log.
function showScope(found) {
  const given = parameters();
  const name = given.get("since") || given.get("until") ? "" : found.range === "all" ? "all time"
    : [...byId("f-range").options].find(option => option.value && option.value === found.range)?.textContent;
  const span = dayAndTime.formatRange(found.since_ms, found.until_ms);
  const soFar = found.share_read < 1 && !found.full ? ", so far" : "";
  for (const place of document.querySelectorAll(".span")) place.textContent = (name || span) + soFar;
  const part = found.total.requests === found.requests ? "" : `${whole.format(found.total.requests)} of `;
  const told = `${name ? `${name[0].toUpperCase()}${name.slice(1)}: ${span}` : span} (${zone}), ${part}${whole.format(found.requests)} requests.`;
  byId("scope").replaceChildren(told, ...howFar(found));
}

function howFar(found) {
  const told = found.share_read === 1 ? "" : found.full ? "Older requests are not kept here: these are the latest of the log."
    : `Figures so far: ${Math.floor(100 * found.share_read)}% of the log is read, its end first.`;
  return told ? [" ", element("b", {class: "so-far"}, told)] : [];
}

function showGroups(found) {
  const by = parameters().get("by") || "route", sort = parameters().get("sort") || "requests";
  const title = GROUP_NAMES[by] ?? by;
  const name = title[0].toUpperCase() + title.slice(1);
  byId("group-name").textContent = name;
  byId("groups-title").textContent = name.endsWith("s") ? `${name}es` : `${name}s`;
  for (const button of document.querySelectorAll("#groups [data-sort]")) {
    const heading = button.closest("th");
    if (button.dataset.sort === sort) heading.setAttribute("aria-sort", "descending");
    else heading.removeAttribute("aria-sort");
  }
  const focused = document.activeElement?.closest?.("#groups tbody") ? document.activeElement : null;
  const focusedRow = focused?.closest("th, td").textContent;
  const worst = {};
  for (const name of ["p50", "p95", "p99"]) worst[name] = Math.max(...found.groups.filter(group => group.requests >= 5).map(group => group[name] ?? 0));
  const body = byId("groups").tBodies[0];
  body.replaceChildren(...found.groups.flatMap(group => {
    const label = group.label ?? "none";
    const slow = name => element("td", {class: found.groups.length > 1 && group[name] && group[name] === worst[name] ? "number worst" : "number"}, formatDuration(group[name]));
    const errors = {class: isBad(group) ? "number bad" : "number", title: group.errors ? `${whole.format(group.errors)} of ${whole.format(group.requests)}` : null};
    const row = element("tr", {},
      element("th", {scope: "row"}, filterButton(by, group.key, label, group.at)),
      element("td", {class: "number"}, whole.format(group.requests)),
      element("td", errors, group.errors ? whole.format(group.errors) : "–"),
      element("td", errors, formatShare(group.errors, group.requests)),
      element("td", {class: "number", title: group["4xx"] ? `${whole.format(group["4xx"])} of ${whole.format(group.requests)}` : null}, group["4xx"] ? `${whole.format(group["4xx"])} (${formatShare(group["4xx"], group.requests)})` : "–"),
      slow("p50"), slow("p95"), slow("p99"),
      element("td", {class: "number"}, formatBytes(group.bytes)),
      element("td", {class: "number"}, formatDuration(group.total_ms)),
      element("td", {class: "sparks"}, sparkline(group.spark)));
    return [row, ...aboutError(group, row.cells.length)];
  }));
  if (focused) {
    const row = [...body.rows].find(one => one.cells[0].textContent === focusedRow);
    row?.querySelector(focused.localName)?.focus({preventScroll: true});
  }
  const more = found.group_count - found.groups.length;
  byId("groups-note").textContent = more > 0 ? `${whole.format(more)} more; a filter or another order shows them.` : "";
  if (shownSort !== sort) showSorted();
  shownSort = sort;
}

// Where an error was raised, what it said at last, and the request in which it did.
function aboutError(group, width) {
  const told = [
    group.place ? element("code", {}, ...breaking(group.place)) : null,
    group.message ? element("span", {}, group.message) : null,
    group.sample_id ? element("a", {href: `request?id=${encodeURIComponent(group.sample_id)}`}, "the latest request") : null,
  ].filter(one => one !== null);
  return told.length ? [element("tr", {class: "about"}, element("td", {colspan: width}, element("p", {}, ...told)))] : [];
}

let shownSort = "requests";

// The column by which the table is sorted is one that is seen.
function showSorted() {
  const box = byId("groups").closest(".scroll"), heading = document.querySelector("#groups th[aria-sort]");
  if (!heading) return;
  const names = byId("group-name").offsetWidth, end = heading.offsetLeft + heading.offsetWidth - box.clientWidth;
  if (heading.offsetLeft - names >= box.scrollLeft && end <= box.scrollLeft) return;
  // No column is cut where the names end.
  const edges = [...heading.parentNode.cells].slice(1).map(cell => cell.offsetLeft - names);
  box.scrollLeft = edges.find(edge => edge >= end) ?? end;
}
