// The public surface.

export type { ContextOption, Flow, SampleOptions } from './flows/flow.js';
export { type AutoregressiveOptions, iaf, maf } from './flows/recipes/autoregressive.js';
export { nice, type RealNVPOptions, realNVP, type ScaleBound } from './flows/recipes/coupling.js';
export type { RecipeOptions } from './flows/recipes/initial.js';
export { type TemporalMafOptions, type TemporalOptions, temporal, temporalMaf } from './flows/temporal/recipe.js';
export type { ContinuationOptions, SeriesOptions, SeriesSampleOptions, TemporalFlow } from './flows/temporal/temporal-flow.js';
export type { FlowDescription } from './format/description.js';
export type { TemporalDescription } from './format/temporal.js';
export { importTemporal, loadTemporal } from './interop/import-temporal.js';
export { importTorch, loadFlow } from './interop/import-torch.js';
export {
  AdapterError,
  CompileError,
  DeviceLostError,
  DisposedError,
  FormatError,
  LimitError,
  PushforwardError,
  ShapeError,
  StateError,
  UnsupportedError,
  ValueError,
} from './runtime/errors.js';
export { Gpu, type GpuOptions, type GpuRequest, isSoftwareAdapter } from './runtime/gpu.js';
export type { Profile } from './runtime/profiler.js';
