// The flow of the page: a masked autoregressive flow that nflows trained on scanned digits.

import { type Flow, type Gpu, importTorch } from '../../src/index.js';
import pixels from '../models/digits/pixels.json';

/** What the description file says about the flow, as far as the page shows it. */
export interface ModelFacts {
  readonly library: { readonly name: string; readonly version: string };
  readonly class: string;
  readonly constructor: { readonly num_layers: number; readonly hidden_features: number; readonly num_blocks_per_layer: number };
}

export interface Model {
  readonly flow: Flow;
  readonly facts: ModelFacts;
  readonly parameters: number;
}

/** Standard deviation and mean of each pixel's logit, interleaved as the shader reads them. */
export const standardisedBy = Float32Array.from(pixels.mean.flatMap((mean, i) => [pixels.scale[i]!, mean]));

/** Mean log-density of 64 real digits under this flow, nats; the first 64 rows of tests/golden/nflows-maf-d64-randperm. */
export const REAL_DIGITS = -69.9;

const descriptionUrl = new URL('../models/digits/case.json', import.meta.url).href;
const weightsUrl = new URL('../models/digits/weights.safetensors', import.meta.url).href;

/** A file of the page did not arrive. The message is for the page's reader. */
export class MissingFileError extends Error {
  override readonly name = 'MissingFileError';
}

async function load(url: string, name: string): Promise<Response> {
  let reason: string;
  try {
    const response = await fetch(url);
    // A development server answers an unknown address with the page itself.
    const isPage = response.headers.get('content-type')?.includes('text/html') === true;
    if (response.ok && !isPage) return response;
    reason = isPage ? 'the server sent a page in its place' : `the server answered ${response.status}`;
  } catch (cause) {
    reason = cause instanceof Error ? cause.message : String(cause);
  }
  throw new MissingFileError(
    `The model’s ${name} could not be loaded: ${reason}. Both files of the model lie in demo/models/digits of the repository; ` +
      'with them in place, reload the page.',
  );
}

export async function loadModel(gpu: Gpu): Promise<Model> {
  const [description, weights] = await Promise.all([
    load(descriptionUrl, 'description').then((response) => response.json() as Promise<ModelFacts>),
    load(weightsUrl, 'weights').then((response) => response.arrayBuffer()),
  ]);
  const flow = await importTorch(gpu, description, weights);
  const parameters = Object.values(await flow.parameters()).reduce((sum, { data }) => sum + data.length, 0);
  return { flow, facts: description, parameters };
}
