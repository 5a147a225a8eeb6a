"use strict";
// Tag text is untrusted: it reaches the page only as textContent, never as markup.
const map = JSON.parse(document.getElementById("data").textContent);
const canvas = document.getElementById("map");
const pen = canvas.getContext("2d");
const tip = document.getElementById("tip");
const count = map.tracks.length;
const MANY = 20000; // from here on squares are drawn, which is several times faster than circles
const REACH = 12; // pixels within which the pointer finds a track
const MARGIN = 0.9; // of the window is map when all of it is seen
const ZOOM_STEP = 1.5;
const DEEPEST = 400;

const fold = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const words = map.tracks.map((track) => fold(`${track.title}\n${track.artist}\n${track.album}\n${track.genre}`));
const hidden = new Set();
const view = { x: 0, y: 0, zoom: 1 };
let found = null; // Set of tracks that meet the search; null when nothing is sought
let hovered = -1;
let waiting = false;

const base = () => {
  // The panel covers the left of a wide window; the map takes the rest.
  const left = innerWidth > 700 ? 280 : 0;
  return { scale: (Math.min(innerWidth - left, innerHeight) / 2) * MARGIN, x: left + (innerWidth - left) / 2, y: innerHeight / 2 };
};
const toScreen = (track) => {
  const { scale, x, y } = base();
  return [x + (track.x - view.x) * scale * view.zoom, y - (track.y - view.y) * scale * view.zoom];
};
const visible = (index) => !hidden.has(map.tracks[index].group);

function draw() {
  waiting = false;
  const ratio = devicePixelRatio || 1;
  if (canvas.width !== innerWidth * ratio || canvas.height !== innerHeight * ratio) {
    canvas.width = innerWidth * ratio;
    canvas.height = innerHeight * ratio;
  }
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, innerWidth, innerHeight);
  const radius = Math.min(9, Math.max(1.5, 70 / Math.sqrt(count) + 1) * Math.pow(view.zoom, 0.3));
  // What was sought is drawn last, on top of the rest.
  for (const wanted of found === null ? [true] : [false, true]) {
    pen.globalAlpha = wanted ? 0.85 : 0.12;
    for (let index = 0; index < count; index++) {
      if (visible(index) && (found === null || found.has(index) === wanted)) dot(index, radius);
    }
  }
  pen.globalAlpha = 1;
  if (hovered >= 0) ring(hovered, radius + 3);
}

function dot(index, radius) {
  const [x, y] = toScreen(map.tracks[index]);
  if (x < -radius || y < -radius || x > innerWidth + radius || y > innerHeight + radius) return;
  pen.fillStyle = map.tracks[index].colour;
  if (count > MANY) {
    pen.fillRect(x - radius, y - radius, 2 * radius, 2 * radius);
  } else {
    pen.beginPath();
    pen.arc(x, y, radius, 0, 2 * Math.PI);
    pen.fill();
  }
}

function ring(index, radius) {
  const [x, y] = toScreen(map.tracks[index]);
  pen.strokeStyle = getComputedStyle(document.body).color;
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.stroke();
}

function redraw() {
  if (!waiting) {
    waiting = true;
    requestAnimationFrame(draw);
  }
}

function nearest(x, y) {
  let best = -1, least = REACH * REACH;
  for (let index = 0; index < count; index++) {
    if (!visible(index) || (found !== null && !found.has(index))) continue;
    const [px, py] = toScreen(map.tracks[index]);
    const distance = (px - x) ** 2 + (py - y) ** 2;
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}

function line(tag, text) {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}

function hover(x, y) {
  hovered = nearest(x, y);
  canvas.classList.toggle("pointing", hovered >= 0);
  tip.hidden = hovered < 0;
  if (hovered >= 0) {
    const track = map.tracks[hovered];
    const about = [[track.album, track.genre].filter(Boolean).join(" · "), track.note].filter(Boolean);
    tip.replaceChildren(line("strong", track.title), line("span", track.artist), ...about.map((text) => line("div", text)));
    const box = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(4, Math.min(x + 16, innerWidth - box.width - 8))}px`;
    tip.style.top = `${Math.max(4, Math.min(y + 16, innerHeight - box.height - 8))}px`;
  }
  redraw();
}

function zoomAt(x, y, factor) {
  const { scale, x: cx, y: cy } = base();
  const zoom = Math.min(DEEPEST, Math.max(0.5, view.zoom * factor));
  // The point under the pointer stays where it is.
  view.x += ((x - cx) / scale) * (1 / view.zoom - 1 / zoom);
  view.y -= ((y - cy) / scale) * (1 / view.zoom - 1 / zoom);
  view.zoom = zoom;
  redraw();
}

function whole() {
  Object.assign(view, { x: 0, y: 0, zoom: 1 });
  redraw();
}

const pointers = new Map();
canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  pointers.set(event.pointerId, event);
  canvas.classList.add("dragging");
});
canvas.addEventListener("pointermove", (event) => {
  const before = pointers.get(event.pointerId);
  if (!before) return hover(event.clientX, event.clientY);
  const other = [...pointers.values()].find((pointer) => pointer.pointerId !== event.pointerId);
  if (other) {
    const span = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY) || 1;
    zoomAt((event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2, span(event) / span(before));
  } else {
    const { scale } = base();
    view.x -= (event.clientX - before.clientX) / (scale * view.zoom);
    view.y += (event.clientY - before.clientY) / (scale * view.zoom);
    redraw();
  }
  pointers.set(event.pointerId, event);
});
for (const end of ["pointerup", "pointercancel"]) {
  canvas.addEventListener(end, (event) => {
    pointers.delete(event.pointerId);
    canvas.classList.toggle("dragging", pointers.size > 0);
    hover(event.clientX, event.clientY);
  });
}
canvas.addEventListener("pointerleave", () => hover(-1e6, -1e6));
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  zoomAt(event.clientX, event.clientY, Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.002)));
}, { passive: false });

const centre = () => [base().x, base().y];
document.getElementById("nearer").addEventListener("click", () => zoomAt(...centre(), ZOOM_STEP));
document.getElementById("farther").addEventListener("click", () => zoomAt(...centre(), 1 / ZOOM_STEP));
document.getElementById("whole").addEventListener("click", whole);

const search = document.getElementById("search");
const tally = document.getElementById("tally");
search.addEventListener("input", () => {
  const sought = fold(search.value).split(/\s+/).filter(Boolean);
  found = sought.length
    ? new Set(words.flatMap((text, index) => (sought.every((word) => text.includes(word)) ? [index] : [])))
    : null;
  tally.textContent = found === null ? "" : found.size === 1 ? "1 track" : `${found.size} tracks`;
  redraw();
});
addEventListener("keydown", (event) => {
  if (event.target === search) {
    if (event.key === "Escape") {
      search.value = "";
      search.dispatchEvent(new Event("input"));
      search.blur();
    }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") search.focus();
  else if (event.key === "+" || event.key === "=") zoomAt(...centre(), ZOOM_STEP);
  else if (event.key === "-") zoomAt(...centre(), 1 / ZOOM_STEP);
  else if (event.key === "0") whole();
  else return;
  event.preventDefault();
});
addEventListener("resize", redraw);

const legend = document.getElementById("legend");
for (const group of map.legend) {
  const button = document.createElement("button");
  const mark = document.createElement("i");
  mark.style.background = group.colour;
  button.append(mark, line("span", group.name), line("b", group.count));
  button.title = group.name;
  button.setAttribute("aria-pressed", "true");
  button.addEventListener("click", () => {
    hidden.has(group.name) ? hidden.delete(group.name) : hidden.add(group.name);
    button.setAttribute("aria-pressed", String(!hidden.has(group.name)));
    redraw();
  });
  legend.append(button);
}
if (map.scale) {
  const bar = document.getElementById("scale");
  bar.hidden = document.getElementById("ends").hidden = false;
  bar.style.background = `linear-gradient(to right, ${map.scale.colours.join(", ")})`;
  document.getElementById("low").textContent = map.scale.low;
  document.getElementById("high").textContent = map.scale.high;
}
document.getElementById("meaning").textContent = map.title;
document.getElementById("about").textContent = map.about;
draw();
