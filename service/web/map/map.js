// The map: Leaflet over the corpus's own pictures, with a scale, an attribution and the place under the pointer.

import { place } from "../words.js";
import { corners, normalLon } from "./geometry.js";

const { L } = globalThis;
const WORLD = [[-60, -170], [75, 170]];

/** @param element that becomes the map. */
export function makeMap(element) {
  const map = L.map(element, { zoomControl: false, zoomSnap: 0.5, minZoom: 1, maxZoom: 22, attributionControl: false });
  map.fitBounds(WORLD);
  L.control.attribution({ position: "bottomright", prefix: '<a href="https://leafletjs.com" target="_blank" rel="noopener">Leaflet</a>' }).addTo(map);
  L.control.scale({ position: "bottomright", imperial: false }).addTo(map);
  pointerPlace().addTo(map);
  L.control.zoom({ position: "topright" }).addTo(map);
  element.setAttribute("role", "application");
  element.setAttribute("aria-label", "Map of the tiles that photos are compared with. Arrow keys move it, plus and minus zoom.");
  new ResizeObserver(() => map.invalidateSize()).observe(element);
  return map;
}

/** A button that shows the whole corpus again. */
export function addWholeButton(map, bounds) {
  const control = L.control({ position: "topright" });
  control.onAdd = () => {
    const box = L.DomUtil.create("div", "leaflet-bar");
    const button = L.DomUtil.create("a", "whole", box);
    Object.assign(button, { href: "#", title: "Show everything", textContent: "⤢" });
    button.setAttribute("role", "button");
    button.setAttribute("aria-label", "Show everything");
    L.DomEvent.on(button, "click", (event) => {
      L.DomEvent.stop(event);
      map.fitBounds(corners(bounds), { padding: [24, 24] });
    });
    return box;
  };
  return control.addTo(map);
}

function pointerPlace() {
  const control = L.control({ position: "bottomright" });
  control.onAdd = (map) => {
    const box = L.DomUtil.create("div", "pointer-place");
    box.hidden = true;
    map.on("mousemove", ({ latlng }) => {
      box.hidden = false;
      box.textContent = place({ lat: latlng.lat, lon: normalLon(latlng.lng) }, map.getZoom() > 16 ? 5 : 500);
    });
    map.on("mouseout", () => (box.hidden = true));
    return box;
  };
  return control;
}
