// The answer in the panel: first how far to trust it, then the place, then what was known of the photo.

import { copy, get, make, save } from "./dom.js";
import { editOption } from "./options.js";
import { shareLink, streetMapLink } from "./share.js";
import { inPlainWords, looks, metres, place, seconds, verdict } from "./words.js";

export function clearAnswer() {
  get("said").textContent = "";
  get("answer").hidden = true;
  get("answer").replaceChildren();
}

/**
 * @param answer of the service.
 * @param milliseconds that the visitor waited.
 * @param geojson asks for the same answer as GeoJSON, as a blob.
 */
export function showAnswer(answer, milliseconds, geojson) {
  const said = verdict(answer);
  const { estimate, warnings } = answer;
  get("answer").replaceChildren(
    ...trust(said),
    ...(warnings.length > 0 ? [warningList(warnings)] : []),
    placeLine(estimate, said),
    actions(estimate, said, geojson),
    viewList(answer),
    make("p", { className: "small quiet" }, `Compared with ${answer.index.tiles.toLocaleString("en")} tiles in ${seconds(milliseconds)}.`),
  );
  get("answer").hidden = false;
  get("said").textContent = `${said.title}. ${said.sentence}`; // for those who hear the page
}

/** A place that someone shared: there is no photo to it here. */
export function showShared(shared) {
  const said = verdict({ estimate: shared, warnings: [] });
  get("answer").replaceChildren(make("p", { className: "small quiet" }, "A place that was shared with you:"), ...trust(said), placeLine(shared, said), actions(shared, said, null));
  get("answer").hidden = false;
}

export function trust({ level, title, sentence, share }) {
  const label = share === null ? "Confidence: not known" : `Confidence: ${Math.round(100 * share)} of 100`;
  const bar = make("div", { className: "bar", role: "img", "aria-label": label }, make("span"));
  bar.dataset.level = level;
  if (share !== null) bar.firstChild.style.width = `${Math.max(2, 100 * share)}%`;
  const heading = make("h2", { className: "verdict", id: "verdict" }, title);
  heading.dataset.level = level;
  return [heading, bar, make("p", { className: "sentence" }, sentence)];
}

function warningList(warnings) {
  return make("ul", { className: "warnings", "aria-label": "Warnings" }, ...warnings.map((text) => make("li", {}, inPlainWords(text))));
}

function placeLine(estimate, { level }) {
  const guess = ["missing", "doubtful"].includes(level) ? "Best guess" : level === "uncalibrated" ? "Best match" : "Place";
  const near = ["uncalibrated", "missing", "doubtful"].includes(level) ? "" : `If right, most likely within ${metres(estimate.radius_m)}.`;
  return make("div", { className: "place" },
    make("span", { className: "label" }, guess),
    make("span", { id: "position" }, place(estimate, estimate.radius_m)),
    ...(near ? [make("span", { className: "small quiet" }, near)] : []));
}

function actions(estimate, said, geojson) {
  const exact = `${estimate.lat.toFixed(6)}, ${estimate.lon.toFixed(6)}`;
  const buttons = [
    button("Copy", "Copy the coordinates", () => copy(exact), "Copied"),
    button("Share", "Copy a link to this place", () => copy(shareLink(estimate)), "Link copied"),
    ...(geojson ? [button("GeoJSON", "Save the answer for a map program", async () => save(await geojson(), "place.geojson"), "Saved")] : []),
    make("a", { className: "plain", href: streetMapLink(estimate), target: "_blank", rel: "noopener noreferrer", title: "Open the place in OpenStreetMap, in a new tab" }, "OpenStreetMap"),
  ];
  return make("div", { className: "buttons", role: "group", "aria-label": "What to do with the place" }, ...buttons);
}

/** A button that says for a moment what it has done. */
function button(text, title, action, done) {
  const act = async () => {
    try {
      await action();
      element.textContent = done;
    } catch (error) {
      element.textContent = "Did not work";
      element.title = error.message;
    }
    setTimeout(() => (element.textContent = text), 1600);
  };
  const element = make("button", { type: "button", className: "plain", title, onclick: act }, text);
  return element;
}

function viewList(answer) {
  const rows = looks(answer).map(({ field, text, source }) =>
    make("li", {}, make("span", {}, `${text} `, make("em", {}, source)), make("button", { type: "button", className: "link", "aria-label": `Change: ${text}`, onclick: () => editOption(field) }, "change")));
  return make("ul", { className: "view", "aria-label": "The photo" }, ...rows);
}
