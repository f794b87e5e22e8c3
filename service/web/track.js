// Several photos of one way: the panel lists where each was taken, or that it was left out.

import { get, make } from "./dom.js";
import { trust } from "./answer.js";
import { inPlainWords, seconds } from "./words.js";

/**
 * @param track answer of the service: `photos` in order, each with a place.
 * @param milliseconds that the visitor waited.
 * @param onPick called with a photo of the track that is clicked.
 */
export function showTrack({ photos, index }, milliseconds, onPick) {
  const used = photos.filter(({ tile_id }) => tile_id !== null).length;
  const said = {
    level: "uncalibrated",
    title: "Not calibrated",
    sentence: `The most plausible way through ${used} of ${photos.length} photos. How often such ways are right was never measured here.`,
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
  const fate = photo.problem ? inPlainWords(photo.problem.detail ?? photo.problem.title) : photo.tile_id === null ? "left out: nothing fits the way" : photo.rank === 1 ? "its best match" : `its match ${photo.rank}`;
  const number = make("span", { className: photo.tile_id === null ? "number out" : "number" }, String(photo.number + 1));
  return make("button", { type: "button", className: "stop", onclick: () => onPick(photo) }, number, make("span", {}, photo.name, make("span", { className: "small quiet" }, fate)));
}
