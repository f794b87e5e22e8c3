// Photos to try on a first visit, as the service offers them.

import { get, make } from "./dom.js";
import { picture, samples } from "./service.js";

/** Show them, if there are any; `onPick(file)` is called with the one that is clicked. */
export async function offerSamples(onPick) {
  const offered = await samples().catch(() => []);
  get("samples").hidden = offered.length === 0;
  get("sample-list").replaceChildren(...offered.map((sample) => make("li", {}, button(sample, onPick))));
}

function button({ name, url }, onPick) {
  const take = async () => {
    const blob = await picture(url);
    onPick(new File([blob], name, { type: blob.type }));
  };
  return make("button", { type: "button", className: "sample", onclick: take }, make("img", { src: url, alt: "" }), make("span", {}, name));
}
