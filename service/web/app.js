// The page: takes a photo, asks POST localize, shows the matches as cards and on the map.

import { TileMap } from "./map.js";

const get = (id) => document.getElementById(id);
const map = new TileMap(get("map"));
let photo = null;

async function problemText(response) {
  try {
    const problem = await response.json();
    return problem.detail ? `${problem.title}: ${problem.detail}` : problem.title;
  } catch {
    return `The service answered ${response.status}`;
  }
}

async function askCorpus() {
  const response = await fetch("info");
  if (response.status === 503) {
    get("corpus").textContent = "The service is loading…";
    setTimeout(askCorpus, 1500);
    return;
  }
  if (!response.ok) throw new Error(await problemText(response));
  const info = await response.json();
  get("corpus").textContent = `${info.index.tiles.toLocaleString("en")} tiles in “${info.index.name}”, encoder “${info.model.name}”`;
  map.setCorpus(info.bounds, info.zooms);
}

function choose(file) {
  photo = file ?? null;
  get("send").disabled = photo === null;
  get("drop").classList.toggle("chosen", photo !== null);
  get("hint").hidden = photo !== null;
  URL.revokeObjectURL(get("preview").src);
  get("preview").hidden = photo === null;
  if (photo) get("preview").src = URL.createObjectURL(photo);
  showError("");
}

function showError(text) {
  get("error").textContent = text;
  get("error").hidden = text === "";
}

function fields() {
  const body = new FormData();
  body.set("panorama", photo);
  body.set("top_k", get("top-k").value);
  if (get("fov").value !== "") body.set("fov_deg", get("fov").value);
  const heading = { north: "0", unknown: "unknown", degrees: get("heading").value }[get("heading-kind").value];
  if (heading !== undefined) body.set("heading_deg", heading);
  if (get("in-view").checked) body.set("bbox", map.viewBbox());
  return body;
}

async function localize() {
  showError("");
  get("send").disabled = true;
  get("send").textContent = "Searching…";
  try {
    const body = fields();
    const response = await fetch("localize", { method: "POST", body });
    if (response.ok) showAnswer(await response.json());
    else showError(await problemText(response));
  } catch {
    showError("The service cannot be reached.");
  } finally {
    get("send").disabled = photo === null;
    get("send").textContent = "Localize";
  }
}

const place = ({ lat, lon }) => `${Math.abs(lat).toFixed(5)}° ${lat < 0 ? "S" : "N"}, ${Math.abs(lon).toFixed(5)}° ${lon < 0 ? "W" : "E"}`;
/** Confidence below which an answer is more probably wrong than right. */
const DOUBTFUL = 0.5;
/** In whole percent; never quite none or all, which no confidence is. */
const percent = (share) => (share < 0.005 ? "less than 1 %" : share >= 0.995 ? "more than 99 %" : `${(100 * share).toFixed(0)} %`);
const metres = (value) => (value < 1000 ? `${value.toFixed(0)} m` : `${(value / 1000).toFixed(1)} km`);

const POINTS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];
const compass = (degrees) => `${degrees.toFixed(0)}° ${POINTS[Math.round(degrees / 45) % 8]}`;
const TOLD = { given: "as given", photo: "as the photo says" };
const looks = (match, view) => `looks ${compass(match.heading_deg)}, ${view.heading_deg === null ? "as found" : TOLD[view.heading_source]}`;

function showWarnings(warnings) {
  get("warnings").hidden = warnings.length === 0;
  get("warnings").replaceChildren(...warnings.map((text) => Object.assign(document.createElement("li"), { textContent: text })));
}

/** How sure the service is of its estimate, in words. */
function trust({ lat, lon, radius_m, confidence, confidence_radius_m }, warned) {
  const near = metres(radius_m);
  const guess = `the best guess, ${place({ lat, lon })}`;
  if (warned) return `${guess}, is not to be relied on: see the warning`;
  if (confidence === null) return `radius ${near} · confidence: not calibrated for this index and question`;
  const sure = `${percent(confidence)} sure that the photo was taken within ${metres(confidence_radius_m)} of`;
  if (confidence < DOUBTFUL) return `only ${sure} ${guess}`;
  return `${sure} here; if it was, most likely within ${near}`;
}

function showAnswer(answer) {
  const { estimate, warnings, timings_ms, view } = answer;
  const doubtful = warnings.length > 0 || (estimate.confidence !== null && estimate.confidence < DOUBTFUL);
  get("answer").hidden = false;
  get("position").textContent = doubtful ? "No confident match" : place(estimate);
  get("details").textContent = `${trust(estimate, warnings.length > 0)} · ${looks(answer.matches[0], view)} · answered in ${timings_ms.total.toFixed(0)} ms`;
  showWarnings(warnings);
  get("cards").replaceChildren(...answer.matches.map(card));
  map.setAnswer(answer);
}

function card(match) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "card";
  button.append(picture(match), facts(match));
  button.addEventListener("click", () => map.look(match.lat, match.lon));
  for (const enter of ["mouseenter", "focus"]) button.addEventListener(enter, () => map.show(match.rank));
  for (const leave of ["mouseleave", "blur"]) button.addEventListener(leave, () => map.show(null));
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function picture(match) {
  const box = document.createElement("div");
  box.className = "picture";
  box.append(match.image_url ? "" : "no picture on disk");
  const number = box.appendChild(document.createElement("span"));
  number.className = "number";
  number.textContent = match.rank;
  if (match.image_url) {
    const image = box.appendChild(new Image());
    image.alt = `Tile ${match.tile_id}`;
    image.loading = "lazy";
    image.src = match.image_url;
  }
  return box;
}

function facts(match) {
  const list = document.createElement("dl");
  const rows = [["score", match.score.toFixed(4)], ["lat, lon", `${match.lat.toFixed(5)}, ${match.lon.toFixed(5)}`], ["tile", match.tile_id], ["heading", compass(match.heading_deg)]];
  for (const [name, value] of rows) {
    list.appendChild(document.createElement("dt")).textContent = name;
    list.appendChild(document.createElement("dd")).textContent = value;
  }
  return list;
}

get("photo").addEventListener("change", (event) => choose(event.target.files[0]));
get("heading-kind").addEventListener("change", (event) => (get("heading-field").hidden = event.target.value !== "degrees"));
get("form").addEventListener("submit", (event) => {
  event.preventDefault();
  localize();
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    get("drop").classList.add("over");
  });
}
for (const name of ["dragleave", "drop"]) document.addEventListener(name, () => get("drop").classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  if (event.dataTransfer.files.length > 0) choose(event.dataTransfer.files[0]);
});

askCorpus().catch((error) => {
  get("corpus").textContent = "";
  showError(error.message || "The service cannot be reached.");
});
