// Several photos of one way: the panel lists where each was taken, or that it was left out.

import { get, make } from "./dom.js";
import { trust } from "./answer.js";
import { inPlainWords, isBeyond, metres, seconds } from "./words.js";

/**
 * @param track answer of the service: `photos` in order, each with a place.
 * @param limit metres that two photos are apart at most, as was asked.
 * @param milliseconds that the visitor waited.
 * @param onPick called with a photo of the track that is clicked.
 */
export function showTrack({ photos, index }, limit, milliseconds, onPick) {
  const used = photos.filter(({ tile_id }) => tile_id !== null).length;
  const far = photos.filter(isBeyond).length;
  const legs = far === 1 ? "One leg is dashed on the map: it is" : `${far} legs are dashed on the map: they are`;
  const dashed = far === 0 ? "" : ` ${legs} longer than ${metres(limit)} from photo to photo allow.`;
  const said = {
    level: "uncalibrated",
    title: "Not calibrated",
    sentence: `The most plausible way through ${used} of ${photos.length} photos.${dashed} How often such ways are right was never measured here.`,
    share: null,
  };
  get("answer").replaceChildren(
    ...trust(said),
    make("ol", { className: "track", "aria-label": "The photos, in their order" }, ...photos.map((photo) => make("li", {}, row(photo, onPick)))),
    make("p", { className: "small quiet" }, `Compared with ${index.tiles.toLocaleString("en")} tiles in ${seconds(milliseconds)}.`),
  );
  get("answer").hidden = false;
  get("said").textContent = `${said.title}. ${said.sentence}`;
}

function row(photo, onPick) {
  const number = make("span", { className: photo.tile_id === null ? "number out" : "number" }, String(photo.number + 1));
  const lines = [make("span", { className: "small quiet" }, fate(photo))];
  if (isBeyond(photo)) lines.push(make("span", { className: "small beyond" }, `${metres(photo.beyond_m)} beyond the limit from the photo before it`));
  return make("button", { type: "button", className: "stop", onclick: () => onPick(photo) }, number, make("span", {}, photo.name, ...lines));
}

function fate({ problem, tile_id, rank }) {
  if (problem) return inPlainWords(problem.detail ?? problem.title);
  if (tile_id === null) return "left out: does not fit the way";
  return rank === 1 ? "its best match" : `its match ${rank}`;
}
