// Where the images lie, for the shader and for the captions over the canvas alike.

/** All in device pixels; `scale` device pixels are one CSS pixel. */
export interface Layout {
  readonly columns: number;
  readonly image: number;
  readonly pitch: readonly [number, number];
  readonly width: number;
  readonly height: number;
  readonly scale: number;
  /** Whether the log-density fits under each image. */
  readonly captioned: boolean;
}

const CAPTION = 20;
/** Below this a caption of five characters would run into its neighbour. */
const NARROWEST_CAPTION = 36;

/** A sheet of `count` images (a square number) in `cssWidth` CSS pixels. */
export function sheetLayout(count: number, cssWidth: number, scale: number): Layout {
  const columns = Math.sqrt(count);
  const width = Math.round(cssWidth * scale);
  const captioned = cssWidth / columns >= NARROWEST_CAPTION;
  const gap = (columns > 12 ? 4 : 8) * scale;
  // A multiple of 8 device pixels, so that every pixel of an image is the same whole number of them.
  const image = Math.max(8, Math.floor((width - gap * (columns - 1)) / columns / 8) * 8);
  // The height depends on the width alone and not on that rounding, so that the style sheet can say it before the script runs.
  const caption = captioned ? CAPTION * scale : 0;
  const height = Math.round(width + (captioned ? caption * columns - gap * (columns - 1) : 0));
  const pitch = (space: number): number => (space - image) / (columns - 1);
  return { columns, image, pitch: [pitch(width), pitch(height - caption)], width, height, scale, captioned };
}

/** One image alone. */
export function singleLayout(cssWidth: number, scale: number): Layout {
  const width = Math.max(8, Math.floor((cssWidth * scale) / 8) * 8);
  return { columns: 1, image: width, pitch: [0, 0], width, height: width, scale, captioned: false };
}
