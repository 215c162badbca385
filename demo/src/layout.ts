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
const NARROWEST_CAPTION = 38;

/** A square sheet of `count` images (a square number) in `cssWidth` CSS pixels. */
export function sheetLayout(count: number, cssWidth: number, scale: number): Layout {
  const columns = Math.sqrt(count);
  const width = Math.round(cssWidth * scale);
  const captioned = cssWidth / columns >= NARROWEST_CAPTION;
  const gap = Math.round((columns > 12 ? 4 : 8) * scale);
  // A multiple of 8 device pixels, so that every pixel of an image is the same whole number of them.
  const image = Math.max(8, Math.floor((width - gap * (columns - 1)) / columns / 8) * 8);
  const across = (width - image) / (columns - 1);
  const below = captioned ? CAPTION * scale : 0;
  const down = captioned ? image + Math.round(below) : across;
  return { columns, image, pitch: [across, down], width, height: Math.round((columns - 1) * down + image + below), scale, captioned };
}

/** One image alone. */
export function singleLayout(cssWidth: number, scale: number): Layout {
  const width = Math.max(8, Math.floor((cssWidth * scale) / 8) * 8);
  return { columns: 1, image: width, pitch: [0, 0], width, height: width, scale, captioned: false };
}
