"use strict";

const CHARTS = JSON.parse(document.getElementById("charts").textContent);
const DARK = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Map();

function size(bytes) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  for (; bytes >= 1024 && unit < units.length - 1; unit++) bytes /= 1024;
  return `${(bytes < 99.95 ? bytes.toFixed(1) : bytes.toFixed(0)).replace(/\.0$/, "")} ${units[unit]}`;
}

const rows = (count) => count.toLocaleString("en-US");
const shortRows = (count) => Intl.NumberFormat("en-US", { notation: "compact" }).format(count).replace("K", "k");
const seconds = (time) => `${time.toLocaleString("en-US", { maximumFractionDigits: 1 })} s`;

function color(name, share = 100) {
  const value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
  const alpha = Math.round((share / 100) * 255).toString(16).padStart(2, "0");
  return value + alpha;
}

function axis(title, most, more) {
  return {
    type: "linear",
    min: 0,
    max: most,
    title: { display: Boolean(title), text: title, color: color("quiet") },
    grid: { color: color("rule"), drawTicks: false },
    border: { display: false },
    ...more,
    ticks: { color: color("quiet"), padding: 6, maxRotation: 0, ...more.ticks },
  };
}

function options(chart, x, tooltip) {
  return {
    animation: false,
    maintainAspectRatio: false,
    interaction: { mode: "nearest", axis: "x", intersect: false },
    scales: {
      x,
      y: axis("", chart.most.y, { ticks: { stepSize: chart.step, callback: size, autoSkip: true } }),
    },
    plugins: {
      legend: {
        position: "bottom",
        labels: {
          color: color("text"),
          boxHeight: 8,
          padding: 14,
          usePointStyle: true,
          filter: (item) => item.text !== "",
        },
      },
      tooltip: { displayColors: false, filter: (item) => item.dataset.label !== "", callbacks: tooltip },
    },
  };
}

function line(label, data, tone, more = {}) {
  return { label, data, borderColor: tone, borderWidth: 2, pointRadius: 0, pointHitRadius: 0, pointStyle: "line", ...more };
}

function limitLine(chart) {
  const ends = [{ x: 0, y: chart.limit }, { x: chart.most.x * 2, y: chart.limit }];
  return line(`limit, ${size(chart.limit)}`, ends, color("exceeds"), { borderWidth: 1.5, borderDash: [6, 4] });
}

function growth(chart) {
  const dots = { pointRadius: 3.5, pointHoverRadius: 5, pointHitRadius: 8, showLine: false };
  const datasets = [
    line("samples", chart.samples, color("accent"), {
      ...dots,
      backgroundColor: color("accent"),
      pointStyle: (at) => (at.raw && at.raw.outcome !== "finished" ? "crossRot" : "circle"),
    }),
  ];
  if (chart.projection.length) {
    datasets.push(
      line("projection", chart.projection, color("accent"), { pointHoverRadius: 4 }),
      line("", chart.low, "transparent", { fill: false }),
      line("interval", chart.high, color("accent", 18), {
        borderWidth: 0, backgroundColor: color("accent", 18), fill: "-1", pointStyle: "rect",
      }),
    );
  }
  datasets.push(limitLine(chart));
  const end = chart.most.x * 1.03;
  if (chart.rows <= end) {
    datasets.push(
      line(`production, ${rows(chart.rows)} rows`, [{ x: chart.rows, y: 0 }, { x: chart.rows, y: chart.most.y }],
        color("quiet"), { borderWidth: 1.5, borderDash: [2, 3] }),
    );
  }
  const x = axis(`${chart.model} rows`, end, {
    ticks: { callback: shortRows, maxTicksLimit: 7, includeBounds: false },
  });
  const range = (at) => `between ${size(chart.low[at].y)} and ${size(chart.high[at].y)}`;
  return {
    type: "line",
    data: { datasets },
    options: options(chart, x, {
      title: (items) => (items.length ? `${rows(Math.round(items[0].parsed.x))} rows` : ""),
      label: (item) => {
        if (item.dataset.label === "samples") {
          return [`measured ${size(item.raw.y)}`, `${item.raw.outcome}, ${seconds(item.raw.seconds)}`];
        }
        if (item.dataset.label === "projection" && item.dataIndex > 0) {
          return [`projected ${size(item.raw.y)}`, range(item.dataIndex)];
        }
        return null;
      },
    }),
  };
}

function time(chart) {
  const count = chart.timelines.length;
  const datasets = chart.timelines.map((one, index) =>
    line(one.label, one.points, color("accent", 25 + (75 * (index + 1)) / count), { borderWidth: 1.75, pointHoverRadius: 4 }),
  );
  if (chart.limit !== null) datasets.push(limitLine(chart));
  const x = axis("seconds", chart.most.x, { ticks: { maxTicksLimit: 8, includeBounds: false } });
  return {
    type: "line",
    data: { datasets },
    options: options(chart, x, {
      title: (items) => (items.length ? seconds(items[0].parsed.x) : ""),
      label: (item) => (item.dataset.label.startsWith("limit") ? null : `${item.dataset.label}: ${size(item.raw.y)}`),
    }),
  };
}

function draw(canvas) {
  drawn.get(canvas)?.destroy();
  const { index, kind } = canvas.dataset;
  const chart = CHARTS[index][kind];
  drawn.set(canvas, new Chart(canvas, kind === "growth" ? growth(chart) : time(chart)));
}

function drawOpen() {
  for (const canvas of document.querySelectorAll(".result[open] canvas")) {
    if (!drawn.has(canvas)) draw(canvas);
  }
}

function openTarget() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (!target) return;
  target.open = true;
  target.scrollIntoView();
}

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
for (const result of document.querySelectorAll(".result")) result.addEventListener("toggle", drawOpen);
DARK.addEventListener("change", () => [...drawn.keys()].forEach(draw));
addEventListener("hashchange", openTarget);
openTarget();
drawOpen();
