// What is said of the photo beside its pixels: a preset, and the folded fields behind it.

import { get } from "./dom.js";

const ROUND = 2; // width to height of a whole panorama
const PHONE_DEG = 65; // a phone's main camera, held upright or not, within ten degrees

const chosenPreset = () => document.querySelector("input[name=preset]:checked").value;

/** Whether a picture of this shape is a whole panorama; null where the browser cannot tell. */
const isRound = (shape) => (shape === null ? null : Math.abs(shape / ROUND - 1) < 0.02);

export function listenToOptions() {
  get("heading-kind").addEventListener("change", () => (get("heading-field").hidden = get("heading-kind").value !== "degrees"));
  get("more").addEventListener("invalid", () => (get("more").open = true), true);
}

/** Choose the preset that the shape of a new photo suggests; a photo that cannot be measured leaves it as it is. */
export function suggestPreset(shape) {
  if (shape === null) return;
  const suggested = isRound(shape) || shape > 3 ? "panorama" : "ordinary";
  document.querySelector(`input[name=preset][value=${suggested}]`).checked = true;
}

/** Show what matters for one photo, or for several of one way. */
export function suitOptions(several) {
  get("step-field").hidden = !several;
  get("count").closest("label").hidden = several;
}

/** Open the folded fields at one of them. */
export function editOption(id) {
  get("more").open = true;
  get(id).focus();
}

/**
 * The fields of a request.
 *
 * The service reads what the photo says of itself, and knows a whole panorama by its shape. So a preset says something
 * only where it contradicts the shape.
 */
export function optionFields(shape) {
  const fields = {};
  const width = get("width").value || presetWidth(shape);
  if (width !== null) fields.fov_deg = width;
  const heading = { north: "0", unknown: "unknown", degrees: get("heading").value }[get("heading-kind").value];
  if (heading !== undefined) fields.heading_deg = heading;
  return fields;
}

export const countField = () => ({ top_k: get("count").value });
export const stepField = () => ({ max_step_m: get("step").value });

function presetWidth(shape) {
  const round = isRound(shape);
  if (chosenPreset() === "panorama") return round === false && shape < 3 ? "360" : null;
  return round ? String(PHONE_DEG) : null;
}
