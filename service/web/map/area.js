// An area to search in: a circle drawn on the map, or what the map shows.

import { metres } from "../words.js";
import { normalLon } from "./geometry.js";

const { L } = globalThis;
const LEAST_PX = 12; // a shorter stroke is a click: it gets a circle of an eighth of the map

export class Area {
  /** @param onChange called with the words for the area whenever it changes. */
  constructor(map, onChange) {
    this.map = map;
    this.onChange = onChange;
    this.layer = null;
    this.fields = {};
    this.stroke = null;
    const pane = map.getContainer();
    pane.addEventListener("pointerdown", (event) => this.begin(event), true);
    pane.addEventListener("pointermove", (event) => this.widen(event), true);
    pane.addEventListener("pointerup", (event) => this.end(event), true);
    document.addEventListener("keydown", (event) => event.key === "Escape" && this.drawing && this.stop());
  }

  /** Wait for a stroke: from the middle of the circle outwards. */
  draw() {
    this.drawing = true;
    this.map.dragging.disable();
    this.map.getContainer().classList.add("drawing");
    this.onChange("Drag on the map, from the middle of the area outwards. Escape ends it.");
  }

  /** Search what the map shows now. */
  take() {
    const box = this.map.getBounds();
    const [west, east] = box.getEast() - box.getWest() >= 360 ? [-180, 180] : [normalLon(box.getWest()), normalLon(box.getEast())];
    const edges = [west, Math.max(-85, box.getSouth()), east, Math.min(85, box.getNorth())];
    this.set(L.rectangle(box, { className: "area", interactive: false }), { bbox: edges.map((degrees) => degrees.toFixed(6)).join(",") });
    this.onChange("Only in the marked part of the map.");
  }

  clear() {
    this.layer?.remove();
    this.layer = null;
    this.fields = {};
    this.stop();
  }

  begin(event) {
    if (!this.drawing || event.button !== 0 || event.target.closest(".leaflet-control")) return;
    event.stopPropagation();
    event.preventDefault();
    this.map.getContainer().setPointerCapture(event.pointerId);
    this.stroke = { from: this.at(event), circle: L.circle(this.at(event), { radius: 1, className: "area", interactive: false }).addTo(this.map) };
  }

  widen(event) {
    if (!this.stroke) return;
    event.stopPropagation();
    this.stroke.circle.setRadius(this.map.distance(this.stroke.from, this.at(event)));
  }

  end(event) {
    if (!this.stroke) return;
    event.stopPropagation();
    const { from, circle } = this.stroke;
    this.stroke = null;
    const to = this.at(event);
    const length = this.map.latLngToContainerPoint(from).distanceTo(this.map.latLngToContainerPoint(to));
    const radius = length >= LEAST_PX ? this.map.distance(from, to) : this.acrossMap() / 8;
    circle.remove();
    this.set(L.circle(from, { radius, className: "area", interactive: false }), { near: `${from.lat.toFixed(6)},${normalLon(from.lng).toFixed(6)}`, radius_m: radius.toFixed(1) });
    this.stop();
  }

  /** No longer wait for a stroke; what is marked stays. */
  stop() {
    this.drawing = false;
    this.map.dragging.enable();
    this.map.getContainer().classList.remove("drawing");
    this.onChange(this.fields.near ? `Within ${metres(Number(this.fields.radius_m))} of the marked point.` : this.fields.bbox ? "Only in the marked part of the map." : "Everywhere.");
  }

  set(layer, fields) {
    this.layer?.remove();
    this.layer = layer.addTo(this.map);
    this.fields = fields;
  }

  at(event) {
    return this.map.mouseEventToLatLng(event);
  }

  acrossMap() {
    const { x, y } = this.map.getSize();
    return this.map.distance(this.map.containerPointToLatLng([0, y / 2]), this.map.containerPointToLatLng([x, y / 2]));
  }
}
