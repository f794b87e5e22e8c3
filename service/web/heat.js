// A picture with a grid of contributions over it: what speaks for the match glows, what speaks against it is blue.

import { make } from "./dom.js";

const FOR = [255, 122, 24];
const AGAINST = [64, 120, 255];
const CONTRAST = 1.7; // what is common to all parts stays faint
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

export class HeatPicture {
  /**
   * @param picture address of the picture, or null.
   * @param heat {rows, columns, values} of the contributions, from the top left.
   * @param label for those who cannot see it.
   * @param onCell called with the number of the cell that is pointed at (row by row), and with null.
   */
  constructor(picture, heat, label, onCell) {
    this.rows = heat.rows;
    this.columns = heat.columns;
    this.whole = heat.values.flat();
    this.onCell = onCell;
    this.cell = null;
    this.byKeys = false; // whether keys chose the cell
    this.canvas = make("canvas", { width: heat.columns, height: heat.rows });
    this.frame = make("span", { className: "cell", hidden: true });
    this.element = make("div", { className: "heat", tabIndex: 0, role: "application", "aria-label": label }, ...(picture ? [make("img", { src: picture, alt: "" })] : []), this.canvas, this.frame);
    this.element.addEventListener("pointermove", (event) => this.follow(event));
    this.element.addEventListener("pointerdown", (event) => this.follow(event));
    this.element.addEventListener("pointerleave", () => this.byKeys || this.pointAt(null)); // pictures that load move under a pointer at rest
    this.element.addEventListener("blur", () => {
      this.byKeys = false;
      this.pointAt(null);
    });
    this.element.addEventListener("keydown", (event) => this.step(event));
    this.paint(this.whole);
  }

  /** Show other contributions than the whole ones, or, with null, those again. */
  paint(values) {
    const shown = values ?? this.whole;
    const most = Math.max(...shown.map(Math.abs), 1e-12);
    const pixels = shown.flatMap((value) => [...(value >= 0 ? FOR : AGAINST), Math.round(225 * Math.abs(value / most) ** CONTRAST)]);
    this.canvas.getContext("2d").putImageData(new ImageData(new Uint8ClampedArray(pixels), this.columns, this.rows), 0, 0);
  }

  pointAt(cell) {
    if (cell === this.cell) return;
    this.cell = cell;
    this.frame.hidden = cell === null;
    if (cell !== null) {
      const [row, column] = [Math.floor(cell / this.columns), cell % this.columns];
      Object.assign(this.frame.style, { left: `${(100 * column) / this.columns}%`, top: `${(100 * row) / this.rows}%`, width: `${100 / this.columns}%`, height: `${100 / this.rows}%` });
    }
    this.onCell(cell);
  }

  follow(event) {
    this.byKeys = false;
    this.pointAt(this.cellAt(event));
  }

  cellAt({ clientX, clientY }) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    const within = (share, count) => Math.min(count - 1, Math.max(0, Math.floor(share * count)));
    return within((clientY - top) / height, this.rows) * this.columns + within((clientX - left) / width, this.columns);
  }

  step(event) {
    const move = STEPS[event.key];
    if (!move) return;
    event.preventDefault();
    this.byKeys = true;
    const [row, column] = this.cell === null ? [0, -1] : [Math.floor(this.cell / this.columns), this.cell % this.columns];
    const clamp = (value, count) => Math.min(count - 1, Math.max(0, value));
    this.pointAt(clamp(row + move[0], this.rows) * this.columns + clamp(column + move[1], this.columns));
  }

  /** Where a point, in shares of width and height, lies in the window. */
  at([x, y]) {
    const { left, top, width, height } = this.element.getBoundingClientRect();
    return [left + x * width, top + y * height];
  }
}
