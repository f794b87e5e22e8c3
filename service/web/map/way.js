// A way on the map: a line through the photos' places, with a number at each.

import { isBeyond } from "../words.js";
import { nearLon } from "./geometry.js";

const { L } = globalThis;

/**
 * Photos that were left out are hollow; a leg that is longer than allowed is dashed.
 *
 * @returns the places on the map, [lat, lon] each, without a jump at the antimeridian.
 */
export function drawWay(photos, layer) {
  const places = photos.map(({ lat, lon }) => [lat, nearLon(lon, photos[0].lon)]);
  const legs = legsOf(photos);
  const through = ([from, to]) => places.slice(from, to + 1);
  const line = (some, className) => some.length > 0 && L.polyline(some.map(through), { className, interactive: false }).addTo(layer);
  L.polyline(places, { className: "way shade", interactive: false }).addTo(layer);
  line(legs.filter(([, to]) => !isBeyond(photos[to])), "way");
  line(legs.filter(([, to]) => isBeyond(photos[to])), "way beyond");
  for (const [number, { tile_id }] of photos.entries()) {
    const icon = L.divIcon({ className: tile_id === null ? "rank out" : "rank used", html: String(number + 1), iconSize: [24, 24], iconAnchor: [12, 12] });
    L.marker(places[number], { icon, interactive: false, keyboard: false }).addTo(layer);
  }
  return places;
}

/** From each photo on the way to the next on it, as [from, to]; those left out between them lie on the leg. */
function legsOf(photos) {
  const used = photos.flatMap(({ tile_id }, number) => (tile_id === null ? [] : [number]));
  return used.slice(1).map((to, before) => [used[before], to]);
}
