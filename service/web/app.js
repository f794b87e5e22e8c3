// The page: a photo goes to the service, its answer to the panel, the map and the strip.

import { clearAnswer, showAnswer, showShared } from "./answer.js";
import { clearCards, pointAtCard, showCards } from "./cards.js";
import { Comparison } from "./compare.js";
import { get } from "./dom.js";
import { Area } from "./map/area.js";
import { Corpus } from "./map/corpus.js";
import { nearLon } from "./map/geometry.js";
import { addWholeButton, makeMap } from "./map/map.js";
import { Marks } from "./map/marks.js";
import { Rim } from "./map/rim.js";
import { countField, listenToOptions, optionFields, stepField, suggestPreset, suitOptions } from "./options.js";
import { PhotoChoice } from "./photo.js";
import { offerSamples } from "./samples.js";
import * as service from "./service.js";
import { sharedPlace } from "./share.js";
import { showTrack } from "./track.js";
import { verdict } from "./words.js";

const RETRY_MS = 1500;

class Page {
  constructor() {
    this.map = makeMap(get("map"));
    this.marks = new Marks(this.map, (match) => this.compare(match), (rank) => this.point(rank));
    this.rim = new Rim(this.map, (match) => this.marks.goTo(match), (rank) => this.point(rank));
    this.area = new Area(this.map, (text) => this.tellArea(text));
    this.photo = new PhotoChoice(() => this.begin());
    this.comparison = new Comparison((match) => service.explain(this.photo.file, this.explained(match)));
    this.asked = 0;
    listenToOptions();
    get("form").addEventListener("submit", (event) => this.submit(event));
    get("area-draw").addEventListener("click", () => this.drawArea());
    get("area-view").addEventListener("click", () => this.area.take());
    get("area-clear").addEventListener("click", () => this.area.clear());
  }

  /** Ask what there is, and show it; then offer samples. */
  async start() {
    try {
      const info = await service.info();
      this.info = info;
      this.corpus = new Corpus(this.map, info);
      addWholeButton(this.map, info.bounds);
      get("corpus").textContent = `${info.index.tiles.toLocaleString("en")} tiles of “${info.index.name}”`;
      this.ready();
    } catch (error) {
      if (error.status === 503) {
        get("corpus").textContent = "The service is getting ready…";
        get("corpus").title = error.message;
        setTimeout(() => this.start(), RETRY_MS);
      } else this.fail(error);
    }
  }

  ready() {
    offerSamples(async (file) => {
      await this.photo.choose([file]);
      this.localize();
    });
    const shared = sharedPlace();
    if (shared) this.showShared(shared);
  }

  /** A new photo: the old answer goes. */
  begin() {
    this.asked++;
    suggestPreset(this.photo.shape);
    suitOptions(this.several);
    this.clear();
    this.busy(false);
  }

  get several() {
    return this.photo.files.length > 1;
  }

  clear() {
    get("error").hidden = true;
    clearAnswer();
    clearCards();
    this.comparison.close();
    this.marks.clear();
    this.rim.show([]);
    this.corpus?.showTiles(false);
    document.body.classList.remove("answered");
  }

  fail(error) {
    get("error").textContent = error.message;
    get("error").hidden = false;
    if (!(error instanceof service.ServiceProblem)) throw error;
  }

  submit(event) {
    event.preventDefault();
    this.localize();
  }

  async localize() {
    const turn = ++this.asked;
    this.clear();
    this.busy(true);
    const fields = { ...optionFields(this.photo.shape), ...this.area.fields, ...(this.several ? stepField() : countField()) };
    const began = performance.now();
    try {
      const answer = await (this.several ? service.track(this.photo.files, fields) : service.localize(this.photo.file, fields));
      if (turn !== this.asked) return;
      if (this.several) this.showWay(answer, Number(fields.max_step_m), performance.now() - began);
      else this.show(answer, fields, performance.now() - began);
    } catch (error) {
      if (turn === this.asked) this.fail(error);
    } finally {
      if (turn === this.asked) this.busy(false);
    }
  }

  show(answer, fields, milliseconds) {
    this.fields = fields;
    const said = verdict(answer);
    const { lat, lon } = answer.estimate;
    document.body.classList.add("answered");
    showAnswer(answer, milliseconds, () => service.geojson(this.photo.file, fields));
    showCards(answer, (match) => this.map.distance([lat, lon], [match.lat, nearLon(match.lon, lon)]), (match) => this.compare(match), (rank) => this.point(rank));
    this.marks.show(answer, said, { pictures: !this.corpus.hasTiles });
    this.marks.fit(answer, said);
    this.corpus.showTiles(true);
    this.rim.show(answer.matches);
    get("answer").scrollIntoView({ block: "nearest" });
  }

  showWay(track, limit, milliseconds) {
    document.body.classList.add("answered");
    const goTo = ({ lat, lon }) => this.map.setView([lat, nearLon(lon, this.map.getCenter().lng)], Math.max(18, this.map.getZoom()));
    showTrack(track, limit, milliseconds, goTo);
    this.marks.showTrack(track.photos);
    this.corpus.showTiles(true);
    get("answer").scrollIntoView({ block: "nearest" });
  }

  showShared(estimate) {
    const said = verdict({ estimate, warnings: [] });
    showShared(estimate);
    this.marks.addPlace(estimate, said);
    this.map.setView([estimate.lat, estimate.lon], 18, { animate: false });
    this.corpus.showTiles(true);
  }

  compare(match) {
    this.marks.goTo(match);
    this.comparison.open(match, this.photo.address);
  }

  /** What the explanation of a match needs: the heading is the one that was found with this tile, or known before. */
  explained({ tile_id, heading_deg }) {
    return { ...("fov_deg" in this.fields ? { fov_deg: this.fields.fov_deg } : {}), heading_deg, tile_id };
  }

  point(rank) {
    this.marks.point(rank);
    pointAtCard(rank);
  }

  drawArea() {
    this.area.draw();
    get("map").scrollIntoView({ block: "nearest" });
  }

  tellArea(text) {
    get("area-text").textContent = text;
    get("area-clear").hidden = Object.keys(this.area.fields).length === 0;
    get("note").textContent = text;
    get("note").hidden = !this.area.drawing;
  }

  busy(asking) {
    get("send").disabled = asking;
    get("send").textContent = asking ? "Looking…" : this.several ? "Find the way" : "Find the place";
    get("form").setAttribute("aria-busy", String(asking));
  }
}

const page = new Page();
page.start();
