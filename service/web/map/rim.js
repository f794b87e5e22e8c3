// Arrows at the rim of the map that point to matches outside of it.

import { get, make } from "../dom.js";
import { nearLon } from "./geometry.js";
import { room } from "./marks.js";

const { L } = globalThis;
const APART_PX = 40;
const INSET_PX = 26;

export class Rim {
  /** @param onPick called with the match whose arrow is clicked. */
  constructor(map, onPick, onPoint) {
    this.map = map;
    this.onPick = onPick;
    this.onPoint = onPoint;
    this.matches = [];
    map.on("moveend zoomend resize", () => this.draw());
    map.on("movestart zoomstart", () => get("rim").replaceChildren());
  }

  show(matches) {
    this.matches = matches;
    this.draw();
  }

  draw() {
    const placed = [];
    const frame = this.frame();
    const outside = this.matches.map((match) => ({ match, at: this.pixel(match) })).filter(({ at }) => !frame.contains(at));
    get("rim").replaceChildren(...outside.map(({ match, at }) => this.arrow(match, at, frame, placed)));
  }

  frame() {
    const { x, y } = this.map.getSize();
    const { paddingBottomRight } = room(this.map);
    return L.bounds([INSET_PX, INSET_PX], [x - 64, y - Math.max(INSET_PX + 24, paddingBottomRight[1])]);
  }

  pixel({ lat, lon }) {
    return this.map.latLngToContainerPoint([lat, nearLon(lon, this.map.getCenter().lng)]);
  }

  arrow(match, at, frame, placed) {
    const middle = frame.getCenter();
    const towards = at.subtract(middle);
    const point = free(onRim(middle, towards, frame), frame, placed);
    placed.push(point);
    const tip = make("span", { className: "tip", "aria-hidden": "true" });
    tip.style.transform = `rotate(${Math.atan2(towards.y, towards.x)}rad)`;
    const button = make("button", { type: "button", className: match.rank === 1 ? "arrow best" : "arrow", "aria-label": `Match ${match.rank} lies outside of the map: go there`, onclick: () => this.onPick(match) }, tip, String(match.rank));
    button.style.left = `${point.x}px`;
    button.style.top = `${point.y}px`;
    for (const enter of ["mouseenter", "focus"]) button.addEventListener(enter, () => this.onPoint(match.rank));
    for (const leave of ["mouseleave", "blur"]) button.addEventListener(leave, () => this.onPoint(null));
    return button;
  }
}

/** Where the way from the middle to a point outside leaves the frame. */
function onRim(middle, towards, frame) {
  const half = frame.getSize().divideBy(2);
  const share = Math.min(half.x / Math.abs(towards.x || 1e-9), half.y / Math.abs(towards.y || 1e-9));
  return middle.add(towards.multiplyBy(share));
}

/** The nearest point along the rim's side that no other arrow covers. */
function free(point, frame, placed) {
  const upright = Math.abs(point.x - frame.min.x) < 1 || Math.abs(point.x - frame.max.x) < 1;
  for (let step = 0; step < 40; step++) {
    const shift = Math.ceil(step / 2) * (step % 2 ? 1 : -1) * (APART_PX / 2);
    const tried = L.point(upright ? point.x : point.x + shift, upright ? point.y + shift : point.y);
    if (frame.contains(tried) && placed.every((other) => other.distanceTo(tried) >= APART_PX)) return tried;
  }
  return point;
}
