// Longitudes around the antimeridian: a box may have west > east, and a map shows the world more than once.

/** [west, south, east, north] as Leaflet's [[south, west], [north, east]], with east beyond 180 where it crosses. */
export const corners = ([west, south, east, north]) => [[south, west], [north, east < west ? east + 360 : east]];

/** The copy of a longitude that is nearest to another. */
export const nearLon = (lon, to) => lon + 360 * Math.round((to - lon) / 360);

/** A longitude in [-180, 180). */
export const normalLon = (lon) => ((((lon + 180) % 360) + 360) % 360) - 180;

/** Corners moved to the copy of the world that holds `lon`. */
export function cornersNear(bounds, lon) {
  const [[south, west], [north, east]] = corners(bounds);
  const shift = nearLon((west + east) / 2, lon) - (west + east) / 2;
  return [[south, west + shift], [north, east + shift]];
}
