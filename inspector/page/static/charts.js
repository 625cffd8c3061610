// The two charts and the sparklines. Colours come from the style sheet, so that light and dark are one place.
"use strict";

const CLASSES = ["2xx", "3xx", "4xx", "5xx", "other"];
const PERCENTILES = ["p50", "p95", "p99"];

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
const classColour = name => colour(name === "other" ? "s-other" : `s-${name}`);

// Hours and minutes, with the day where it changes.
function timeLabels(seconds) {
  const stepSeconds = seconds.length > 1 ? seconds[1] - seconds[0] : 3600;
  let shownDay = "";
  return seconds.map(value => {
    const when = new Date(value * 1000), day = dayOfMonth.format(when);
    if (stepSeconds >= 86400) return stepSeconds >= 300 * 86400 ? String(when.getFullYear()) : day;
    const time = (stepSeconds < 60 ? wholeTime : shortTime).format(when);
    if (day === shownDay) return time;
    shownDay = day;
    return `${time}\n${day}`;
  });
}

class TimeChart {
  // `onZoom` is called with two times in seconds, or without any to zoom out.
  constructor(name, series, onZoom) {
    this.place = document.getElementById(`chart-${name}`);
    this.readout = document.getElementById(`readout-${name}`);
    this.series = series;
    this.onZoom = onZoom;
    this.chart = null;
    this.data = null;
    const legend = document.getElementById(`legend-${name}`);
    this.keys = series.map(one => element("span", {class: `key ${one.key}`}, element("i", {"aria-hidden": "true"}), one.label));
    legend.append(...this.keys);
    this.place.addEventListener("dblclick", () => this.onZoom());
    new ResizeObserver(() => this.fit()).observe(this.place);
  }

  size() {
    return {width: Math.max(200, this.place.clientWidth), height: this.place.clientHeight || 180};
  }

  fit() {
    if (this.chart && this.size().width !== this.chart.width) this.chart.setSize(this.size());
  }

  forget() {
    if (this.chart) this.chart.destroy();
    this.chart = null;
  }

  draw(data, stepSeconds, label) {
    this.data = data;
    this.stepSeconds = stepSeconds;
    this.place.setAttribute("aria-label", label);
    this.keys.forEach((key, index) => { key.hidden = !this.has(index, data); });
    if (this.chart && this.chart.stepSeconds === stepSeconds) {
      this.chart.setData(this.drawn(data));
      return;
    }
    this.forget();
    this.chart = new uPlot(this.options(), this.drawn(data), this.place);
    this.chart.stepSeconds = stepSeconds;
  }

  options() {
    const axis = {
      stroke: colour("muted"), font: "12px system-ui, sans-serif",
      grid: {stroke: colour("line"), width: 1}, ticks: {show: false},
    };
    return {
      ...this.size(),
      legend: {show: false},
      padding: [8, 24, 0, 0],  // half a label at the right
      cursor: {y: false, points: {show: false}, drag: {x: true, y: false, setScale: false}},
      scales: {
        x: {time: true, range: () => [this.data.time_s[0], this.data.time_s.at(-1) + this.stepSeconds]},
        y: {range: (chart, low, high) => [0, high > 0 ? high * 1.08 : 1]},
      },
      axes: [
        {...axis, size: 40, space: 70, values: (chart, seconds) => timeLabels(seconds)},
        {...axis, size: 56, values: (chart, values) => values.map(value => (this.keys.every(key => key.hidden) ? "" : this.axisValue(value)))},
      ],
      series: [{}, ...this.lines()],
      hooks: {
        setSelect: [chart => {
          const {left, width} = chart.select;
          if (width < 4) return;
          this.onZoom(chart.posToVal(left, "x"), chart.posToVal(left + width, "x"));
          chart.setSelect({left: 0, width: 0, top: 0, height: 0}, false);
        }],
        setCursor: [chart => this.tell(chart)],
      },
    };
  }

  // Of the step of time that the pointer is in, not of the one whose beginning is the nearest.
  tell(chart) {
    const {left} = chart.cursor;
    const times = this.data.time_s, passed = left >= 0 ? chart.posToVal(left, "x") - times[0] : NaN;
    const index = Math.min(times.length - 1, Math.floor(passed / this.stepSeconds));
    const time = times[index];
    this.readout.textContent = time === undefined ? "" : `${(this.stepSeconds < 86400 ? dayAndClock : dayOfYear).format(time * 1000)}: ${this.told(index)}`;
  }
}

class RequestsChart extends TimeChart {
  constructor(onZoom) {
    super("requests", CLASSES.map(name => ({key: `s-${name}`, label: name})), onZoom);
  }

  has(index, data) { return data.classes[CLASSES[index]].some(Boolean); }

  axisValue(value) { return value === Math.floor(value) ? Intl.NumberFormat(locale, {notation: "compact"}).format(value) : ""; }

  lines() {
    // Drawn from the back: each bar is what lies below it and itself.
    return [...CLASSES].reverse().map(name => ({
      fill: classColour(name), width: 0, points: {show: false},
      paths: uPlot.paths.bars({size: [0.86, 40], align: 1}),
    }));
  }

  drawn(data) {
    let below = data.time_s.map(() => 0);
    const sums = CLASSES.map(name => (below = below.map((sum, index) => sum + data.classes[name][index])));
    return [data.time_s, ...sums.reverse()];
  }

  told(index) {
    const parts = CLASSES.filter(name => this.data.classes[name][index]).map(name => `${name} ${whole.format(this.data.classes[name][index])}`);
    return parts.join(", ") || "no requests";
  }
}

class LatencyChart extends TimeChart {
  constructor(onZoom) {
    super("latency", PERCENTILES.map(name => ({key: name, label: name})), onZoom);
  }

  has(index, data) { return data.percentiles_ms[PERCENTILES[index]].some(value => value !== null); }

  axisValue(value) { return formatDuration(value).replace(".0 ", " "); }

  lines() {
    return PERCENTILES.map(name => ({
      stroke: colour(name), width: name === "p50" ? 2 : 1.5, dash: name === "p99" ? [4, 3] : undefined,
      spanGaps: false, points: {show: (chart, series) => this.isAlone(series), size: 5, fill: colour(name)},
    }));
  }

  isAlone(series) {
    const values = this.data.percentiles_ms[PERCENTILES[series - 1]];
    return values.some((value, index) => value !== null && values[index - 1] == null && values[index + 1] == null);
  }

  // A step's figure stands in its middle.
  drawn(data) { return [data.time_s.map(time => time + this.stepSeconds / 2), ...PERCENTILES.map(name => data.percentiles_ms[name])]; }

  told(index) {
    if (this.data.percentiles_ms.p50[index] === null) return "no requests";
    return PERCENTILES.map(name => `${name} ${formatDuration(this.data.percentiles_ms[name][index])}`).join(", ");
  }
}

function sparkline(counts) {
  const width = 120, height = 24, highest = Math.max(1, ...counts), slot = width / counts.length;
  const box = drawing("svg", {class: "spark", viewBox: `0 0 ${width} ${height}`, width, height, "aria-hidden": "true"});
  counts.forEach((count, index) => {
    if (!count) return;
    const tall = Math.max(1.5, height * count / highest);
    box.append(drawing("rect", {x: (index * slot).toFixed(1), y: (height - tall).toFixed(1), width: (slot * 0.8).toFixed(1), height: tall.toFixed(1)}));
  });
  return box;
}
