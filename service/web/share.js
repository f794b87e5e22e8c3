// Links to a place: to this page, with all that the page says of it, and to OpenStreetMap.

const KEYS = { lat: "lat", lon: "lon", radius_m: "within", confidence: "sure", confidence_radius_m: "near" };

/** The place stands behind the #, so it never reaches a server; the photo is not part of it. */
export function shareLink(estimate) {
  const parts = new URLSearchParams();
  for (const [name, key] of Object.entries(KEYS)) {
    if (estimate[name] !== null) parts.set(key, String(Number(estimate[name].toFixed(name === "lat" || name === "lon" ? 6 : 3))));
  }
  return `${location.origin}${location.pathname}#${parts}`;
}

/** The place of a link that was opened, or null where it holds none. */
export function sharedPlace(hash = location.hash) {
  const parts = new URLSearchParams(hash.slice(1));
  const number = (name) => (parts.has(KEYS[name]) ? Number(parts.get(KEYS[name])) : null);
  const shared = Object.fromEntries(Object.keys(KEYS).map((name) => [name, number(name)]));
  const { lat, lon, radius_m, confidence, confidence_radius_m } = shared;
  const isPlace = lat !== null && lon !== null && Math.abs(lat) <= 90 && Math.abs(lon) <= 180 && radius_m > 0;
  const isSure = confidence === null ? confidence_radius_m === null : confidence >= 0 && confidence <= 1 && confidence_radius_m > 0;
  return isPlace && isSure ? shared : null;
}

export const streetMapLink = ({ lat, lon }) => `https://www.openstreetmap.org/?mlat=${lat.toFixed(6)}&mlon=${lon.toFixed(6)}#map=18/${lat.toFixed(5)}/${lon.toFixed(5)}`;
