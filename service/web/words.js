// How the page says things: places, distances, directions and, above all, how far to trust an answer.

const POINTS = ["N", "NE", "E", "SE", "S", "SW", "W", "NW"];

export const compass = (degrees) => `${Math.round(degrees) % 360}° ${POINTS[Math.round(degrees / 45) % 8]}`;

/** With a space that no line breaks at, as in `percent`. */
export const metres = (value) => (value < 1000 ? `${Math.max(1, Math.round(value))}\u00a0m` : `${(value / 1000).toFixed(value < 10000 ? 1 : 0)}\u00a0km`);

/** Whether the way to a photo is longer than allowed, by as much as can be said in metres. */
export const isBeyond = ({ beyond_m }) => beyond_m !== null && beyond_m >= 1;

/** In whole percent; never quite none or all, which no confidence is. */
export const percent = (share) => (share < 0.005 ? "less than 1\u00a0%" : share >= 0.995 ? "more than 99\u00a0%" : `${Math.round(100 * share)}\u00a0%`);

export const seconds = (milliseconds) => (milliseconds < 950 ? `${(Math.max(milliseconds, 10) / 1000).toFixed(2)} s` : `${(milliseconds / 1000).toFixed(1)} s`);

/** A place with no more digits than the uncertainty (metres) bears. */
export function place({ lat, lon }, uncertainty = 1) {
  const digits = uncertainty < 10 ? 5 : uncertainty < 100 ? 4 : 3;
  return `${Math.abs(lat).toFixed(digits)}° ${lat < 0 ? "S" : "N"}, ${Math.abs(lon).toFixed(digits)}° ${lon < 0 ? "W" : "E"}`;
}

const capital = (text) => text[0].toUpperCase() + text.slice(1);

const LEVELS = [
  [0.9, "sure", "Found"],
  [0.7, "likely", "Probably found"],
  [0.5, "unsure", "Perhaps found"],
  [0, "missing", "Not found"],
];

/**
 * How far an answer can be trusted.
 *
 * @returns {{level: string, title: string, sentence: string, share: number?, radius: number}} `share` is null where
 *   nothing was measured; `radius` is that of the circle which the sentence speaks of.
 */
export function verdict({ estimate, warnings }) {
  const { confidence, confidence_radius_m, radius_m } = estimate;
  if (warnings.length > 0) {
    const sentence = "Something speaks against this photo, see below. The marked place is a guess, and may well be wrong.";
    return { level: "doubtful", title: "Not to be relied on", sentence, share: null, radius: radius_m };
  }
  if (confidence === null) {
    const sentence = "How often such answers are right was never measured here. The marked place is the best match, no more.";
    return { level: "uncalibrated", title: "Not calibrated", sentence, share: null, radius: radius_m };
  }
  const [, level, title] = LEVELS.find(([least]) => confidence >= least);
  const within = `that the photo was taken within ${metres(confidence_radius_m)} of the marked place`;
  const sure = `${percent(confidence)} sure ${within}.`;
  const sentence = level === "missing" ? `${capital(sure)} It was probably taken somewhere else.` : capital(sure);
  return { level, title, sentence, share: confidence, radius: confidence_radius_m };
}

const SOURCES = { given: "as you said", photo: "from the photo", assumed: "assumed from its shape", unknown: "found by trying" };

/** What is known of the photo, each with where it is known from. */
export function looks({ view, matches }) {
  const heading = view.heading_deg ?? matches[0].heading_deg;
  return [
    { field: "heading-kind", text: `Its centre looks ${compass(heading)}`, source: view.heading_deg === null ? SOURCES.unknown : SOURCES[view.heading_source] },
    { field: "width", text: `It shows ${Math.round(view.fov_deg)}°`, source: SOURCES[view.fov_source] },
  ];
}

const PHRASES = [
  [/; (?:if it is less, )?give fov_deg\b/g, "; say how wide it is under “More about the photo”"],
  [/give a (smaller|larger) fov_deg/g, "say a $1 width"],
  [/give its horizontal field of view, for example fov_deg ([\d.]+)/g, "say how wide it is, for example $1 degrees"],
  [/fov_deg ([\d.]+)/g, "a width of $1 degrees"],
  [/heading_deg ([\d.]+)/g, "the direction $1 degrees"],
  [/\bpanorama: /g, ""],
  [/\bfov_deg\b/g, "its width"],
  [/\bheading_deg\b/g, "its direction"],
  [/\btop_k\b/g, "the number of matches"],
  [/\b(?:bbox|near|radius_m)\b/g, "the area"],
];

/** A message of the service, with the names of form fields said as the page says them. */
export const inPlainWords = (text) => capital(PHRASES.reduce((said, [name, phrase]) => said.replace(name, phrase), text));
