// A whole panorama laid out as it is compared, but as sharp as the photo itself: north in the middle, the belt that the
// comparison looks at.

import { make } from "./dom.js";

const WIDTH_PX = 1280;

/**
 * @param photo an image that is loaded.
 * @param heading where its centre column looks, in degrees from north.
 * @param belt its height and the elevation of its middle, both in degrees.
 * @param ratio width to height of the picture that comes out.
 */
export function layOut(photo, heading, belt, ratio) {
  const canvas = make("canvas", { width: WIDTH_PX, height: Math.round(WIDTH_PX / ratio) });
  const context = canvas.getContext("2d");
  const { naturalWidth: width, naturalHeight: height } = photo;
  const high = Math.min(height, (width / 360) * belt.vertical_deg);
  const top = Math.min(Math.max((height - high) / 2 - (width / 360) * belt.middle_deg, 0), height - high);
  const shift = ((heading / 360) * WIDTH_PX + 2 * WIDTH_PX) % WIDTH_PX;
  for (const left of [shift - WIDTH_PX, shift]) context.drawImage(photo, 0, top, width, high, left, 0, WIDTH_PX, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.85);
}
