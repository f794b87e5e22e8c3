// Talks to the service. What goes wrong arrives as one error whose message a person can read.

import { inPlainWords } from "./words.js";

/** The service refused, failed or could not be reached; the message says so in plain words. */
export class ServiceProblem extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

const KEY_WANTED = "This service answers only those who have a key. The page has none: open it through a proxy that adds one.";

async function problemOf(response) {
  if (response.status === 401) return new ServiceProblem(KEY_WANTED, 401);
  try {
    const { title, detail } = await response.json();
    return new ServiceProblem(inPlainWords(detail ? `${title}: ${detail}` : title), response.status);
  } catch {
    return new ServiceProblem(`The service answered with an error (${response.status}). Try again later.`, response.status);
  }
}

async function ask(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch {
    throw new ServiceProblem("The service cannot be reached. Is it still running?", 0);
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

function form(photos, fields) {
  const body = new FormData();
  for (const photo of [photos].flat()) body.append("panorama", photo);
  for (const [name, value] of Object.entries(fields)) body.set(name, value);
  return body;
}

const post = (address, body, headers = {}) => ask(address, { method: "POST", body, headers });

export const info = async () => (await ask("info")).json();
export const samples = async () => (await ask("samples")).json();
export const picture = async (address) => (await ask(address)).blob();
export const localize = async (photo, fields) => (await post("localize", form(photo, fields))).json();
export const geojson = async (photo, fields) => (await post("localize", form(photo, fields), { Accept: "application/geo+json" })).blob();
export const track = async (photos, fields) => (await post("v1/localize/track", form(photos, fields))).json();
export const explain = async (photo, fields) => (await post("v1/explain", form(photo, fields))).json();
