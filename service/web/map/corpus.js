// The corpus on the map: one overview picture always, its tiles only with an answer and only close by.

import { corners, normalLon } from "./geometry.js";

const { L } = globalThis;
const BELOW_TILES = 150; // Leaflet puts tiles at 200
const SMALL_PX = 600;
const HAIR = 1e-9; // degrees: an edge that lies on the grid belongs to one side only

export class Corpus {
  /** @param info of the service: bounds, zooms, overview, index. */
  constructor(map, { bounds, zooms, overview, index }) {
    this.map = map;
    this.bounds = bounds;
    this.hasTiles = zooms.length > 0;
    const box = corners(bounds);
    L.rectangle(box, { className: "edge", interactive: false }).addTo(map);
    map.createPane("overview").style.zIndex = BELOW_TILES;
    if (overview) L.imageOverlay(overview.url, corners(overview.bounds), { pane: "overview", alt: "" }).addTo(map);
    this.tiles = L.layerGroup(this.hasTiles ? halves(bounds).map((half) => tileLayer(half, zooms)) : []);
    map.attributionControl.addAttribution(attribution(index.name));
    map.fitBounds(box, { padding: [24, 24], animate: false });
  }

  /** Tiles are asked for while an answer is shown, so that none delays the answer. */
  showTiles(shown) {
    if (shown) this.tiles.addTo(this.map);
    else this.tiles.remove();
  }
}

const attribution = (name) => `Tiles of “${name.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`)}”`;

/** Below the tiles' own zoom the overview does: no more is asked for than a screen holds, one zoom earlier on a small one. */
function tileLayer(box, zooms) {
  const [least, most] = [Math.min(...zooms), Math.max(...zooms)];
  return L.tileLayer("tiles/{z}/{x}/{y}", { bounds: box, minZoom: window.innerWidth < SMALL_PX ? least - 1 : least, minNativeZoom: least, maxNativeZoom: most, maxZoom: 22, keepBuffer: 0, updateWhenZooming: false });
}

/** A box on either side of the antimeridian where it crosses, as Leaflet asks for tiles by their own longitude. */
function halves(bounds) {
  const [[south, west], [north, east]] = corners(bounds);
  const part = (from, to) => [[south + HAIR, from + HAIR], [north - HAIR, to - HAIR]];
  return east <= 180 ? [part(west, east)] : [part(west, 180), part(-180, normalLon(east))];
}
