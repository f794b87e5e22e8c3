// The photo: chosen, dropped or taken from the samples; shown small, and measured as far as the browser can.

import { get } from "./dom.js";

export class PhotoChoice {
  /** @param onChoose called when there is a new photo. */
  constructor(onChoose) {
    this.onChoose = onChoose;
    this.file = null;
    get("photo").addEventListener("change", (event) => event.target.files.length > 0 && this.choose(event.target.files[0]));
    for (const name of ["dragenter", "dragover"]) document.addEventListener(name, (event) => this.hover(event, true));
    for (const name of ["dragleave", "drop"]) document.addEventListener(name, (event) => this.hover(event, false));
    document.addEventListener("drop", (event) => event.dataTransfer.files.length > 0 && this.choose(event.dataTransfer.files[0]));
  }

  /** Take a photo (File) and wait until it is shown, or known not to be showable here (HEIC, TIFF). */
  async choose(file) {
    this.file = file;
    const preview = get("preview");
    URL.revokeObjectURL(preview.src);
    this.address = URL.createObjectURL(file);
    preview.src = this.address;
    get("drop").classList.add("chosen");
    get("hint").hidden = true;
    get("chosen").textContent = file.name;
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
