// The matches as a strip of cards, the best first.

import { get, make } from "./dom.js";
import { metres } from "./words.js";

export function clearCards() {
  get("strip").hidden = true;
  get("cards").replaceChildren();
}

/**
 * @param answer of the service.
 * @param distance from the estimate to a place, in metres.
 * @param onPick called with a match that is clicked.
 * @param onPoint called with the rank of the match that is pointed at, and with null.
 */
export function showCards(answer, distance, onPick, onPoint) {
  get("cards").replaceChildren(...answer.matches.map((match) => make("li", {}, card(match, distance(match), onPick, onPoint))));
  get("strip").hidden = false;
  get("cards").scrollLeft = 0;
}

/** Emphasize the card of one rank, or none. */
export function pointAtCard(rank) {
  for (const one of get("cards").querySelectorAll(".card")) one.classList.toggle("shown", one.dataset.rank === String(rank));
}

function card(match, away, onPick, onPoint) {
  const where = away < 60 ? "here" : `${metres(away)} away`;
  const button = make("button", { type: "button", className: "card", "aria-label": `Match ${match.rank}, ${where}: compare it with the photo`, onclick: () => onPick(match) },
    picture(match),
    make("span", { className: "where" }, where),
    make("span", { className: "like" }, "likeness ", make("b", {}, match.score.toFixed(2))));
  button.dataset.rank = match.rank;
  for (const enter of ["mouseenter", "focus"]) button.addEventListener(enter, () => onPoint(match.rank));
  for (const leave of ["mouseleave", "blur"]) button.addEventListener(leave, () => onPoint(null));
  return button;
}

function picture(match) {
  const number = make("span", { className: "number" }, String(match.rank));
  if (!match.image_url) return make("span", { className: "picture" }, number, "no picture here");
  return make("span", { className: "picture" }, number, make("img", { src: match.image_url, alt: "", loading: "lazy" }));
}
