// An answer on the map: a box for each match, the circle that the words speak of, a pin, and a wedge for the heading.

import { cornersNear, nearLon } from "./geometry.js";
import { drawWay } from "./way.js";

const { L } = globalThis;
const WEDGE_PX = 150;
const NARROW_DEG = 40; // the wedge of a photo that looks all around points to its centre only

export class Marks {
  /** @param onPick called with a match that is clicked; onPoint with its rank when it is pointed at, and with null. */
  constructor(map, onPick, onPoint) {
    this.map = map;
    this.onPick = onPick;
    this.onPoint = onPoint;
    this.layer = L.layerGroup().addTo(map);
    this.boxes = new Map();
  }

  clear() {
    this.layer.clearLayers();
    this.boxes.clear();
  }

  /** Draw an answer; `pictures` asks for the tiles' pictures where no tile layer shows them. */
  show({ matches, estimate, view }, said, { pictures }) {
    this.clear();
    for (const match of [...matches].reverse()) this.addMatch(match, estimate.lon, pictures);
    this.addPlace(estimate, said);
    if (said.level !== "missing") this.addWedge(estimate, view.heading_deg ?? matches[0].heading_deg, view.fov_deg);
  }

  /** Draw a place alone. */
  addPlace({ lat, lon, radius_m }, { level, radius }) {
    L.circle([lat, lon], { radius, className: `circle ${level}`, interactive: false }).addTo(this.layer);
    if (radius_m < radius) L.circle([lat, lon], { radius: radius_m, className: "circle inner", interactive: false }).addTo(this.layer);
    const html = `<svg viewBox="0 0 24 32" width="30" height="40" aria-hidden="true"><path d="M12 1a11 11 0 0 0-11 11c0 8 11 19 11 19s11-11 11-19a11 11 0 0 0-11-11z"/><circle cx="12" cy="12" r="4"/></svg>`;
    const icon = L.divIcon({ className: `pin ${level}`, html, iconSize: [30, 40], iconAnchor: [15, 39] });
    L.marker([lat, lon], { icon, interactive: false, keyboard: false, zIndexOffset: 1000 }).addTo(this.layer);
  }

  addWedge({ lat, lon }, heading, width) {
    const half = (width >= 360 ? NARROW_DEG : Math.min(width, 180)) / 2;
    const edge = (degrees) => `${(50 + 48 * Math.sin((degrees * Math.PI) / 180)).toFixed(2)} ${(50 - 48 * Math.cos((degrees * Math.PI) / 180)).toFixed(2)}`;
    const path = `M50 50L${edge(heading - half)}A48 48 0 0 1 ${edge(heading + half)}Z`;
    const html = `<svg viewBox="0 0 100 100" width="${WEDGE_PX}" height="${WEDGE_PX}" aria-hidden="true"><path d="${path}"/></svg>`;
    const icon = L.divIcon({ className: "wedge", html, iconSize: [WEDGE_PX, WEDGE_PX] });
    L.marker([lat, lon], { icon, interactive: false, keyboard: false, zIndexOffset: -1000 }).addTo(this.layer);
  }

  addMatch(match, lon, pictures) {
    const box = cornersNear(match.bounds, lon);
    if (pictures && match.image_url) L.imageOverlay(match.image_url, box, { pane: "tilePane", alt: "" }).addTo(this.layer);
    const rectangle = L.rectangle(box, { className: match.rank === 1 ? "match best" : "match" }).addTo(this.layer);
    const icon = L.divIcon({ className: match.rank === 1 ? "rank best" : "rank", html: String(match.rank), iconSize: [24, 24], iconAnchor: [12, 12] });
    const badge = L.marker([box[1][0], (box[0][1] + box[1][1]) / 2], { icon, keyboard: false }).addTo(this.layer);
    this.boxes.set(match.rank, rectangle);
    for (const mark of [rectangle, badge]) {
      mark.on("click", () => this.onPick(match));
      mark.on("mouseover", () => this.onPoint(match.rank));
      mark.on("mouseout", () => this.onPoint(null));
    }
  }

  /** Draw a way through photos. */
  showTrack(photos) {
    this.clear();
    const places = drawWay(photos, this.layer);
    this.map.fitBounds(L.latLngBounds(places).pad(0.15), { ...room(this.map), maxZoom: 19 });
  }

  /** Emphasize the box of one rank, or none. */
  point(rank) {
    for (const [one, box] of this.boxes) box.getElement()?.classList.toggle("shown", one === rank);
  }

  /** Move the map to an answer: to its circle, or, where no place was found, to all that looks like the photo. */
  fit({ matches, estimate }, said) {
    const { lat, lon } = estimate;
    const area = L.latLng(lat, lon).toBounds(2.4 * said.radius);
    area.extend(cornersNear(matches[0].bounds, lon));
    if (said.level === "missing") for (const match of matches) area.extend(L.latLngBounds(cornersNear(match.bounds, lon)));
    this.map.fitBounds(area, { ...room(this.map), maxZoom: 19 });
  }

  /** Move the map so that one match is seen together with its surroundings. */
  goTo(match) {
    const lon = nearLon(match.lon, this.map.getCenter().lng);
    this.map.fitBounds(L.latLngBounds(cornersNear(match.bounds, lon)).pad(1), { ...room(this.map), maxZoom: 19 });
  }
}

/** What lies over the map's edges and must not hide the place. */
export function room(map) {
  const strip = document.getElementById("strip");
  const over = !strip.hidden && getComputedStyle(strip).position === "absolute";
  return { paddingTopLeft: [40, 40], paddingBottomRight: [64, (over ? strip.offsetHeight : 0) + Math.min(40, map.getSize().y / 10)] };
}
