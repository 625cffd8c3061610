// Numbers, durations and times as people read them, and elements made of text: no markup is ever built from a string.
"use strict";

const locale = document.documentElement.lang || "en";
const whole = new Intl.NumberFormat(locale);
const timeOfDay = new Intl.DateTimeFormat(locale, {hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23"});
const shortTime = new Intl.DateTimeFormat(locale, {hour: "2-digit", minute: "2-digit", hourCycle: "h23"});
const wholeTime = new Intl.DateTimeFormat(locale, {hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"});
const dayOfMonth = new Intl.DateTimeFormat(locale, {month: "short", day: "numeric"});
const dayAndTimeOfDay = new Intl.DateTimeFormat(locale, {month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23"});
const dayAndClock = new Intl.DateTimeFormat(locale, {month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"});
const dayOfYear = new Intl.DateTimeFormat(locale, {year: "numeric", month: "short", day: "numeric"});
const yearAndTimeOfDay = new Intl.DateTimeFormat(locale, {year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23"});
const dayAndTime = new Intl.DateTimeFormat(locale, {year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23"});

function formatDuration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 999.5) return `${ms < 99.95 ? ms.toFixed(1) : Math.round(ms)} ms`;
  if (ms < 59950) return `${(ms / 1e3).toFixed(2)} s`;
  if (ms < 3597000) return `${(ms / 6e4).toFixed(1)} min`;
  return `${(ms / 36e5).toFixed(1)} h`;
}

function formatBytes(count) {
  if (count === null || count === undefined) return "–";
  for (const [unit, factor] of [["PB", 1e15], ["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (count >= factor * 0.9995) return `${(count / factor).toFixed(1)} ${unit}`;
  }
  return `${count} B`;
}

const zone = dayAndTime.resolvedOptions().timeZone;

// In the unit of time in which the number reads best, as the terminal has it.
function formatRate(count, seconds) {
  for (const [unit, length] of [["s", 1], ["min", 60], ["h", 3600], ["d", 86400]]) {
    const value = count * length / seconds;
    if (value >= 1 || unit === "d") return `${value >= 99.5 ? whole.format(Math.round(value)) : Number(value.toPrecision(2))}/${unit}`;
  }
}

// The times of one list in one form, which tells as much of the day as they need.
function listForm(times) {
  const now = new Date();
  if (times.every(when => when.toDateString() === now.toDateString())) return timeOfDay;
  return times.every(when => when.getFullYear() === now.getFullYear()) ? dayAndTimeOfDay : yearAndTimeOfDay;
}

function formatShare(part, all) {
  if (!part || !all) return "–";
  const percent = 100 * part / all;
  return percent < 0.05 ? "<0.1%" : `${percent.toFixed(percent < 10 ? 1 : 0)}%`;
}

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value !== null && value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined));
  return made;
}

// A path breaks after a slash, and within a word only where nothing else helps.
function breaking(text) {
  return text.split(/(?<=\/)/).flatMap((part, index) => (index ? [document.createElement("wbr"), part] : [part]));
}

function drawing(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
