// A small slippy map whose only imagery is the indexed corpus itself, served at tiles/{z}/{x}/{y}.

const TILE_PX = 256;
const MOST_TILES = 1200;
const HAIR = 1e-6; // of a tile: an edge that lies on the grid belongs to one side only
const SVG = "http://www.w3.org/2000/svg";

// Web Mercator, the world as a unit square: x to the east, y to the south.
const toX = (lon) => (lon + 180) / 360;
const toY = (lat) => 0.5 - Math.asinh(Math.tan((lat * Math.PI) / 180)) / (2 * Math.PI);
const toLon = (x) => x * 360 - 180;
const toLat = (y) => (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
const EQUATOR_M = 40075016.7;

export class TileMap {
  constructor(element) {
    this.element = element;
    this.layer = element.appendChild(document.createElement("div"));
    this.layer.className = "tiles";
    this.marks = element.appendChild(document.createElementNS(SVG, "svg"));
    this.note = element.appendChild(document.createElement("p"));
    this.note.className = "note";
    this.images = new Map();
    this.missing = new Set();
    this.zooms = [];
    this.centre = { x: 0.5, y: 0.5 };
    this.scale = TILE_PX; // pixels for the whole world
    this.answer = null;
    this.addButtons();
    this.listen();
    new ResizeObserver(() => this.draw()).observe(element);
  }

  /** Say what there is: bounds [west, south, east, north] and the zoom levels that have pictures. */
  setCorpus(bounds, zooms) {
    this.bounds = bounds;
    this.zooms = [...zooms].sort((a, b) => a - b);
    if (bounds) this.fit(bounds);
    for (let step = 0; step < 24 && this.tooMany; step++) this.zoomAt(1.25); // begin with a picture, not an empty frame
  }

  /** Draw an answer of /localize. */
  setAnswer(answer) {
    this.answer = answer;
    const best = answer.matches[0].bounds;
    const width = spanX(best) * 7;
    this.fit([toLon(toX(best[0]) - width / 2), best[1], toLon(toX(best[0]) + width / 2), best[3]]);
    this.look(answer.estimate.lat, answer.estimate.lon);
  }

  look(lat, lon) {
    this.centre = { x: toX(lon), y: toY(lat) };
    this.draw();
  }

  /** Emphasize the match of one rank, or none. */
  show(rank) {
    for (const box of this.marks.querySelectorAll(".box")) box.classList.toggle("shown", box.dataset.rank === String(rank));
  }

  fit([west, south, east, north]) {
    const width = spanX([west, south, east, north]);
    const height = toY(south) - toY(north);
    const { clientWidth, clientHeight } = this.element;
    this.centre = { x: (toX(west) + width / 2) % 1, y: (toY(south) + toY(north)) / 2 };
    this.setScale(0.92 * Math.min(clientWidth / width, clientHeight / height));
    this.draw();
  }

  /** What is seen, as "west,south,east,north". */
  viewBbox() {
    const halfX = this.element.clientWidth / this.scale / 2;
    const halfY = this.element.clientHeight / this.scale / 2;
    if (halfX >= 0.5) return `-180,${toLat(Math.min(1, this.centre.y + halfY))},180,${toLat(Math.max(0, this.centre.y - halfY))}`;
    const wrap = (x) => toLon(((x % 1) + 1) % 1);
    const edges = [wrap(this.centre.x - halfX), toLat(Math.min(1, this.centre.y + halfY)), wrap(this.centre.x + halfX), toLat(Math.max(0, this.centre.y - halfY))];
    return edges.map((degrees) => degrees.toFixed(7)).join(",");
  }

  setScale(scale) {
    this.scale = Math.min(TILE_PX * 2 ** 22, Math.max(TILE_PX, scale));
  }

  /** Zoom by a factor, keeping the place under the pixel (px, py) where it is. */
  zoomAt(factor, px = this.element.clientWidth / 2, py = this.element.clientHeight / 2) {
    const dx = px - this.element.clientWidth / 2;
    const dy = py - this.element.clientHeight / 2;
    const before = this.scale;
    this.setScale(before * factor);
    this.centre.x += dx / before - dx / this.scale;
    this.centre.y += dy / before - dy / this.scale;
    this.draw();
  }

  addButtons() {
    const box = this.element.appendChild(document.createElement("div"));
    box.className = "zoom";
    const actions = [["+", "Zoom in", () => this.zoomAt(2)], ["\u2212", "Zoom out", () => this.zoomAt(0.5)], ["\u2922", "Show everything", () => this.bounds && this.fit(this.bounds)]];
    for (const [text, title, action] of actions) {
      const button = box.appendChild(document.createElement("button"));
      button.type = "button";
      button.textContent = text;
      button.title = title;
      button.setAttribute("aria-label", title);
      button.addEventListener("click", action);
    }
  }

  listen() {
    const fingers = new Map();
    const spread = () => {
      const [a, b] = [...fingers.values()];
      return Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
    };
    this.element.addEventListener("pointerdown", (event) => {
      if (event.target.closest(".zoom")) return;
      this.element.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, event);
    });
    this.element.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return;
      const before = fingers.size === 2 ? spread() : 0;
      fingers.set(event.pointerId, event);
      if (fingers.size === 2 && before > 0) this.setScale(this.scale * (spread() / before));
      this.centre.x -= (event.clientX - last.clientX) / this.scale / fingers.size;
      this.centre.y -= (event.clientY - last.clientY) / this.scale / fingers.size;
      this.draw();
    });
    for (const end of ["pointerup", "pointercancel"]) this.element.addEventListener(end, (event) => fingers.delete(event.pointerId));
    this.element.addEventListener("wheel", (event) => {
      event.preventDefault();
      const { left, top } = this.element.getBoundingClientRect();
      this.zoomAt(Math.exp(-event.deltaY / 400), event.clientX - left, event.clientY - top);
    }, { passive: false });
    this.element.addEventListener("keydown", (event) => {
      const step = 80 / this.scale;
      const moves = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
      if (event.key === "+" || event.key === "=") this.zoomAt(2);
      else if (event.key === "-") this.zoomAt(0.5);
      else if (moves[event.key]) {
        this.centre.x += moves[event.key][0];
        this.centre.y += moves[event.key][1];
        this.draw();
      } else return;
      event.preventDefault();
    });
  }

  draw() {
    this.centre.x = ((this.centre.x % 1) + 1) % 1;
    this.centre.y = Math.min(1, Math.max(0, this.centre.y));
    this.drawTiles();
    this.drawMarks();
  }

  /** Pixel of a place; the copy of the world nearest to the centre. */
  pixel(lat, lon) {
    let dx = toX(lon) - this.centre.x;
    dx -= Math.round(dx);
    return [this.element.clientWidth / 2 + dx * this.scale, this.element.clientHeight / 2 + (toY(lat) - this.centre.y) * this.scale];
  }

  bestZoom() {
    const exact = Math.log2(this.scale / TILE_PX);
    return this.zooms.find((zoom) => zoom >= exact - 0.3) ?? this.zooms.at(-1);
  }

  drawTiles() {
    const zoom = this.bestZoom();
    const wanted = zoom === undefined ? [] : this.visibleTiles(zoom);
    this.tooMany = wanted.length > MOST_TILES;
    this.note.textContent = this.zooms.length === 0 ? "The pictures of this index are not on the service\u2019s disk" : this.tooMany ? "Zoom in to see the tiles" : "";
    this.note.hidden = this.note.textContent === "";
    const keep = new Set();
    for (const [x, y] of this.tooMany ? [] : wanted) {
      const key = `${zoom}/${x}/${y}`;
      if (this.missing.has(key)) continue;
      keep.add(key);
      this.place(this.images.get(key) ?? this.load(key), zoom, x, y);
    }
    for (const [key, image] of this.images) {
      if (keep.has(key)) continue;
      image.remove();
      this.images.delete(key);
    }
  }

  visibleTiles(zoom) {
    const side = 2 ** zoom;
    const halfX = Math.min(0.5, this.element.clientWidth / this.scale / 2);
    const halfY = this.element.clientHeight / this.scale / 2;
    let [x0, x1] = [Math.floor((this.centre.x - halfX) * side), Math.floor((this.centre.x + halfX) * side)];
    let [y0, y1] = [Math.floor((this.centre.y - halfY) * side), Math.floor((this.centre.y + halfY) * side)];
    [y0, y1] = [Math.max(0, y0), Math.min(side - 1, y1)];
    if (this.bounds) {
      const [west, south, east, north] = this.bounds;
      [y0, y1] = [Math.max(y0, Math.floor(toY(north) * side + HAIR)), Math.min(y1, Math.floor(toY(south) * side - HAIR))];
      if (west <= east) [x0, x1] = [Math.max(x0, Math.floor(toX(west) * side + HAIR)), Math.min(x1, Math.floor(toX(east) * side - HAIR))];
    }
    const count = Math.max(0, x1 - x0 + 1) * Math.max(0, y1 - y0 + 1);
    if (count > MOST_TILES) return { length: count };
    const tiles = [];
    for (let y = y0; y <= y1; y++) for (let x = x0; x <= x1; x++) tiles.push([((x % side) + side) % side, y]);
    return tiles;
  }

  load(key) {
    const image = this.layer.appendChild(new Image());
    image.alt = "";
    image.draggable = false;
    image.addEventListener("error", () => {
      this.missing.add(key);
      this.images.delete(key);
      image.remove();
    });
    image.src = `tiles/${key}`;
    this.images.set(key, image);
    return image;
  }

  place(image, zoom, x, y) {
    const side = 2 ** zoom;
    const px = this.scale / side;
    let dx = (x + 0.5) / side - this.centre.x;
    dx -= Math.round(dx);
    const left = Math.round(this.element.clientWidth / 2 + dx * this.scale - px / 2);
    const right = Math.round(this.element.clientWidth / 2 + dx * this.scale + px / 2);
    const top = Math.round(this.element.clientHeight / 2 + (y / side - this.centre.y) * this.scale);
    const bottom = Math.round(this.element.clientHeight / 2 + ((y + 1) / side - this.centre.y) * this.scale);
    image.style.left = `${left}px`;
    image.style.top = `${top}px`;
    image.style.width = `${right - left}px`;
    image.style.height = `${bottom - top}px`;
  }

  drawMarks() {
    this.marks.replaceChildren();
    if (this.bounds) this.box(this.bounds, "edge");
    if (!this.answer) return;
    for (const match of [...this.answer.matches].reverse()) this.drawMatch(match);
    const { lat, lon, radius_m } = this.answer.estimate;
    const [cx, cy] = this.pixel(lat, lon);
    const radius = (radius_m / (EQUATOR_M * Math.cos((lat * Math.PI) / 180))) * this.scale;
    this.mark("circle", { class: "radius", cx, cy, r: radius });
    this.mark("circle", { class: "pin", cx, cy, r: 6 });
  }

  drawMatch(match) {
    const box = this.box(match.bounds, match.rank === 1 ? "box best" : "box");
    box.dataset.rank = match.rank;
    const [x, y] = this.pixel(match.bounds[3], match.lon);
    this.mark("text", { class: "rank", x, y: y - 5 }).textContent = match.rank;
  }

  box(bounds, name) {
    const [west, south, , north] = bounds;
    const middle = toLon((toX(west) + spanX(bounds) / 2) % 1);
    const [x] = this.pixel(south, middle);
    const width = spanX(bounds) * this.scale;
    const [, top] = this.pixel(north, middle);
    const [, bottom] = this.pixel(south, middle);
    return this.mark("rect", { class: name, x: x - width / 2, y: top, width, height: bottom - top });
  }

  mark(kind, attributes) {
    const element = document.createElementNS(SVG, kind);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    return this.marks.appendChild(element);
  }
}

/** Width of a box as a part of the way round the earth. */
function spanX([west, , east]) {
  return east >= west ? toX(east) - toX(west) : 1 + toX(east) - toX(west);
}
