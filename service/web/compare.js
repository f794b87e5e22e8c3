// One match beside the photo: which parts of the one speak for which parts of the other.

import { get, make } from "./dom.js";
import { HeatPicture } from "./heat.js";
import { layOut } from "./panorama.js";
import { compass } from "./words.js";

const SVG = "http://www.w3.org/2000/svg";
const LINES = 6;

export class Comparison {
  /** @param explain asks the service about a match; answers with its explanation. */
  constructor(explain) {
    this.explain = explain;
    this.dialog = get("compare");
    get("compare-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => event.target === this.dialog && this.dialog.close());
    new ResizeObserver(() => this.drawLines()).observe(get("compare-body"));
  }

  /** @param address of the photo, for as long as its explanation is not there. */
  async open(match, address) {
    this.wanted = match;
    this.found = null;
    get("compare-title").textContent = `Match ${match.rank} beside the photo`;
    get("compare-body").replaceChildren(...this.plain(match, address), make("p", { className: "quiet", role: "status" }, "Looking for what they have in common…"));
    if (!this.dialog.open) this.dialog.showModal();
    try {
      const found = await this.explain(match);
      if (this.wanted === match) this.show(found, match);
    } catch (error) {
      if (this.wanted === match) get("compare-body").lastChild.textContent = `What they have in common cannot be shown. ${error.message}`;
    }
  }

  close() {
    this.wanted = null;
    if (this.dialog.open) this.dialog.close();
  }

  plain(match, address) {
    const shown = (src, alt) => (src ? make("img", { src, alt }) : make("span", { className: "absent" }, "no picture here"));
    return [
      make("figure", { className: "photo-side" }, shown(address, "The photo"), make("figcaption", {}, "Your photo")),
      make("figure", { className: "tile-side" }, shown(match.image_url, `Tile ${match.tile_id} from above`), make("figcaption", {}, "From above, north is up")),
    ];
  }

  show(found, match) {
    this.found = found;
    const columns = (tile) => found.pairs.map((row) => row[tile]);
    this.photo = new HeatPicture(sharp(found) ?? found.photo.image, found.photo.heat, "The photo. Arrow keys choose a part; the tile shows what it matches.", (cell) => this.point(this.tile, cell, cell === null ? null : found.pairs[cell]));
    this.tile = new HeatPicture(found.tile.image_url ?? match.image_url, found.tile.heat, "The tile. Arrow keys choose a part; the photo shows what it matches.", (cell) => this.point(this.photo, cell, cell === null ? null : columns(cell)));
    this.told = make("p", { className: "told quiet", role: "status" }, HINT);
    this.lines = document.createElementNS(SVG, "svg");
    this.lines.setAttribute("class", "lines");
    this.lines.setAttribute("aria-hidden", "true");
    get("compare-body").replaceChildren(
      make("figure", { className: "photo-side" }, this.photo.element, bearings(), make("figcaption", {}, `Your photo as it is compared, laid out from south over north to south. Its centre looks ${compass(found.heading_deg)}.`)),
      make("figure", { className: "tile-side" }, this.tile.element, make("figcaption", {}, "From above, north is up.")),
      this.lines,
      make("div", { className: "legend" }, make("span", { className: "for" }, "speaks for this place"), make("span", { className: "against" }, "speaks against it"), make("span", { className: "quiet" }, `likeness ${found.score.toFixed(3)} · tile ${match.tile_id}`)),
      this.told,
    );
    requestAnimationFrame(() => this.drawLines());
  }

  /** Light up what belongs to a cell of the other picture. */
  point(other, cell, values) {
    other.paint(values);
    this.lines.classList.toggle("faint", cell !== null);
    if (cell === null) this.told.textContent = HINT;
    else {
      const share = values.reduce((sum, value) => sum + value, 0) / this.found.score;
      this.told.textContent = `This part gives ${(100 * share).toFixed(1)} % of the likeness; on the other side it shines where it finds its like.`;
    }
  }

  drawLines() {
    if (!this.found || !this.lines?.isConnected) return;
    const { left, top } = get("compare-body").getBoundingClientRect();
    const scroll = get("compare-body").scrollTop;
    const most = this.found.lines[0]?.contribution ?? 1;
    const within = ([x, y]) => [x - left, y - top + scroll];
    this.lines.replaceChildren(...this.found.lines.slice(0, LINES).flatMap(({ photo, tile, contribution }) => {
      const [x1, y1] = within(this.photo.at(photo));
      const [x2, y2] = within(this.tile.at(tile));
      const line = drawn("line", { x1, y1, x2, y2, "stroke-width": 0.8 + 1.4 * (contribution / most) });
      return [line, drawn("circle", { cx: x1, cy: y1, r: 4 }), drawn("circle", { cx: x2, cy: y2, r: 4 })];
    }));
  }
}

const HINT = "Point at a part of either picture: the other shows what it matches.";

function drawn(kind, attributes) {
  const element = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

/** The photo's own pixels where it is a whole panorama that the browser shows; else null. */
function sharp({ photo, view, heading_deg }) {
  const shown = get("preview");
  const whole = view.fov_deg >= 360 && !shown.hidden && Math.abs(shown.naturalWidth / shown.naturalHeight - 2) < 0.02;
  return whole && photo.vertical_deg ? layOut(shown, heading_deg, photo, photo.width_px / photo.height_px) : null;
}

function bearings() {
  return make("div", { className: "bearings", "aria-hidden": "true" }, ...["S", "W", "N", "E", "S"].map((name) => make("span", {}, name)));
}
