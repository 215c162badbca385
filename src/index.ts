// The public surface.

export { type BoundOptions, Dequantized, type DequantizeOptions, dequantize } from './flows/dequantization.js';
export type { ContextOption, DensityOptions, Flow, SampleOptions } from './flows/flow.js';
export {
  type AutoregressiveOptions,
  iaf,
  type MAFOptions,
  type MademogOptions,
  type MixtureOutput,
  mademog,
  maf,
} from './flows/recipes/autoregressive.js';
export type { BaseOption } from './flows/recipes/base.js';
export { bounded, type Support } from './flows/recipes/bounded.js';
export type { DivergenceOption, FfjordOptions, OdeSolver } from './flows/recipes/continuous.js';
export { type CouplingOptions, nice, type RealNVPOptions, realNVP, type ScaleBound } from './flows/recipes/coupling.js';
export { type DecoderOptions, decoder } from './flows/recipes/decoder.js';
export { ffjord } from './flows/recipes/ffjord.js';
export { type GlowOptions, glow } from './flows/recipes/glow.js';
export type { ImageOptions } from './flows/recipes/image.js';
export { type ImageRealNVPOptions, imageRealNVP } from './flows/recipes/image-realnvp.js';
export type { RecipeOptions } from './flows/recipes/initial.js';
export type { LinearKind, LinearOption } from './flows/recipes/linear.js';
export type { MadeOptions } from './flows/recipes/made.js';
export type { Masking, MaskingOptions } from './flows/recipes/masking.js';
export { type NeuralSplineOptions, neuralSpline } from './flows/recipes/neural-spline.js';
export { type PlanarOptions, planar, radial, type SylvesterOptions, sylvester } from './flows/recipes/planar.js';
export { type ResidualInverseOption, type ResidualLogDetOption, type ResidualOptions, residual } from './flows/recipes/residual.js';
export { type StandardisedOptions, standardised } from './flows/recipes/standardised.js';
export type { SaveOptions } from './flows/save-options.js';
export { type TemporalMafOptions, type TemporalOptions, temporal, temporalMaf } from './flows/temporal/recipe.js';
export type { ContinuationOptions, SeriesOptions, SeriesSampleOptions, TemporalFlow } from './flows/temporal/temporal-flow.js';
export type { FlowDescription } from './format/description.js';
export type { TemporalDescription } from './format/temporal.js';
export { checkInvertibility, type InvertibilityReport } from './inspection/check-invertibility.js';
export { checkLogDet, type LogDetOptions, type LogDetReport } from './inspection/check-log-det.js';
export { type DirectionCost, type FlowSummary, type LayerSummary, summary } from './inspection/summary.js';
export { exportTorch } from './interop/export-torch.js';
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
export { type FitOptions, type FitProgress, type FitResult, fit, type TrainingOptions } from './training/fit.js';
export { fitTarget, type Target, type TargetResult } from './training/fit-target.js';
export { scoreOf } from './training/score.js';
export { type Variational, type VariationalFitOptions, type VariationalParts, variational } from './training/vae.js';
export type { Choice, TuningReport } from './tuning/report.js';
export type { TuneOptions } from './tuning/tune.js';
