// The photo: chosen, dropped or taken from the samples; shown small, and measured as far as the browser can.

import { get } from "./dom.js";

export class PhotoChoice {
  /** @param onChoose called when there is a new photo. */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.files = [];
    get("photo").addEventListener("change", (event) => event.target.files.length > 0 && this.choose([...event.target.files]));
    for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => this.hover(event, true));
    for (const name of ["dragleave", "drop"]) document.addEventListener(name, (event) => this.hover(event, false));
    document.addEventListener("drop", (event) => event.dataTransfer.files.length > 0 && this.choose([...event.dataTransfer.files]));
  }

  get file() {
    return this.files[0] ?? null;
  }

  /** Take photos (Files), several in the order of their names, and wait until the first is shown, or known not to be
   *  showable here (HEIC, TIFF). */
  async choose(files) {
    this.files = files.toSorted((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
    const { file } = this;
    const preview = get("preview");
    URL.revokeObjectURL(preview.src);
    this.address = URL.createObjectURL(file);
    preview.src = this.address;
    get("drop").classList.add("chosen");
    get("hint").hidden = true;
    get("chosen").textContent = files.length === 1 ? file.name : `${files.length} photos, in the order of their names`;
    get("chosen").hidden = false;
    this.shape = await preview.decode().then(() => preview.naturalWidth / preview.naturalHeight, () => null);
    preview.hidden = this.shape === null;
    this.onChoose();
  }

  hover(event, over) {
    event.preventDefault();
    get("drop").classList.toggle("over", over);
  }
}
