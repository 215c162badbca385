// One step of an optimiser over a vector of parameters p, with gradient g: the sum over the rows of a batch, whose mean is g / batch. All state is on the device.
//
//   square_sums   parts[b] = Σ over block b of (g / batch)²
//   control       t ← t + 1; learning rate η(t); norm = ‖g / batch‖; clip factor c = min(1, clip / norm) / batch; bias corrections 1 / (1 − βᵗ); the loss is kept
//   update        Adam and AdamW  m ← β₁ m + (1 − β₁) c g;  v ← β₂ v + (1 − β₂) c² g²
//                                 p ← p − η (m̂ / (√v̂ + ε) + w p)
//                 SGD             m ← μ m + (c g + w p);  p ← p − η m
//                 average ← d average + (1 − d) p,   d = min(average_decay, (1 + t) / (10 + t)), so that the start is soon forgotten
//
// Not every number of the vector need be a parameter: `kinds` has two bits for each, whether it is learned and whether it decays, of those blocks of 256 numbers
// that hold a parameter. The others stay, whatever their gradient; of the MAF that the bench trains, two in ten lie in blocks that need no look. w is the weight
// decay where a number decays, else 0 (biases). Adam adds w p to c g instead, AdamW alone as above. Schedules, of s = t − warm-up and S = total − warm-up, after a
// linear rise over the warm-up: constant; cosine, floor + (1 − floor)(1 + cos π s / S) / 2; step, factor^⌊s / every⌋.
//
// A loss or a norm that is not finite stops everything: control[FAILED] takes the step, and from then on no step changes a number, so the
// parameters are the last good ones however many steps were already queued.
//
// Shapes      p, g, m, v, average f32, a multiple of 256 of them, of which `length` lie in blocks that count; kinds u32 [length / 4], where word 64 i + lane has
//             block number b from bit 8 on, and in bits 2 k and 2 k + 1 what number 256 b + 4 lane + k is; parts f32 [blocks], of which 64 i + lane has the
//             words 2048 i + 64 k + lane; control f32 [8]; losses f32 [total].
// Error       update 8 units in the last place of the step's size (tests/cases/optimiser.ts).
// Paper       Kingma & Ba 2015, arXiv:1412.6980; Loshchilov & Hutter 2019, arXiv:1711.05101; Pascanu et al. 2013, arXiv:1211.5063 (clipping).

#import "lib/call.wgsl"
#import "lib/math.wgsl"
#import "lib/elements.wgsl"

struct Params {
  length: u32,
  blocks: u32,
  batch: u32,
  total: u32,
  warmup: u32,
  every: u32,
  learning_rate: f32,
  floor_or_factor: f32,
  beta1: f32,
  beta2: f32,
  epsilon: f32,
  decay: f32,
  clip: f32,
  average_decay: f32,
}

const STEP = 0u;
const RATE = 1u;
const CORRECTION1 = 2u;
const CORRECTION2 = 3u;
const CLIP = 4u;
const NORM = 5u;
const FAILED = 6u; // the step that failed, from 1; 0 for none

const ADAM = 0u;
const ADAMW = 1u;
const SGD = 2u;
const COSINE = 1u;
const STAIRS = 2u;

override METHOD: u32 = 0u;
override SCHEDULE: u32 = 0u;
override AVERAGE: bool = false;
override MOMENTUM: bool = true; // of SGD; without it there is no m

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> gradient: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read_write> parts: array<f32>;
@group(0) @binding(4) var<storage, read_write> control_state: array<f32>;
@group(0) @binding(5) var<storage, read> loss: array<f32>;
@group(0) @binding(6) var<storage, read_write> losses: array<f32>;
@group(0) @binding(7) var<storage, read> pieces: array<f32>;
@group(0) @binding(8) var<storage, read> settled: array<f32>;
@group(0) @binding(9) var<storage, read_write> parameters: array<vec4<f32>>;
@group(0) @binding(10) var<storage, read_write> moment1: array<vec4<f32>>;
@group(0) @binding(11) var<storage, read_write> moment2: array<vec4<f32>>;
@group(0) @binding(12) var<storage, read_write> average: array<vec4<f32>>;
@group(0) @binding(13) var<storage, read> kinds: array<u32>;

const LEARNED = 1u;
const DECAYS = 2u;

/// Which of the four numbers of a word have a bit.
fn which(kind: u32, bit: u32) -> vec4<bool> { return ((vec4<u32>(kind) >> vec4<u32>(0u, 2u, 4u, 6u)) & vec4<u32>(bit)) != vec4<u32>(0u); }

@compute @workgroup_size(64)
fn square_sums(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = shared_by(32u, wg, lane);
  let words = params.length / 4u;
  let share = 1.0 / f32(params.batch); // before it is squared: a mean that float32 can square may be of a sum that it cannot
  var sum = 0.0;
  for (var word = first; word < min(first + 2048u, words); word += 64u) {
    let kind = kinds[word];
    let g = select(vec4<f32>(0.0), share * gradient[(kind >> 8u) * 64u + lane], which(kind, LEARNED));
    let squares = g * g;
    sum += squares.x + squares.y + (squares.z + squares.w);
  }
  parts[shared_by(1u, wg, lane)] = sum;
}

fn finite(v: f32) -> bool { return (bitcast<u32>(v) & 0x7f800000u) != 0x7f800000u; }

/// 1 / (1 − βᵗ), by expm1: at t = 1 and β = 0.999 the difference has lost ten bits.
fn correction(beta: f32, t: f32) -> f32 {
  let log_beta = accurate_log1p(vec4<f32>(beta - 1.0)).x;
  return -1.0 / accurate_expm1(vec4<f32>(t * log_beta)).x;
}

fn rate(t: f32) -> f32 {
  let warm = min(1.0, t / max(1.0, f32(params.warmup)));
  let s = max(0.0, t - f32(params.warmup));
  var factor = 1.0;
  if (SCHEDULE == COSINE) {
    let span = max(1.0, f32(params.total) - f32(params.warmup));
    let turn = sin_cos_2pi(vec4<u32>(u32(min(1.0, s / span) * 2147483392.0))).cos.x; // half a turn is 2³¹
    factor = params.floor_or_factor + (1.0 - params.floor_or_factor) * 0.5 * (1.0 + turn);
  } else if (SCHEDULE == STAIRS) {
    for (var k = 0u; k < u32(s) / max(1u, params.every); k++) { factor *= params.floor_or_factor; }
  }
  return params.learning_rate * warm * factor;
}

@compute @workgroup_size(1)
fn control() {
  if (control_state[FAILED] != 0.0) { return; }
  var sum = 0.0;
  for (var b = 0u; b < params.blocks; b++) { sum += pieces[b]; }
  let norm = sqrt(sum);
  let t = control_state[STEP] + 1.0;
  let mean = loss[0] / f32(params.batch);
  losses[min(u32(t) - 1u, params.total - 1u)] = mean;
  if (!finite(norm) || !finite(mean)) {
    control_state[FAILED] = t;
    return;
  }
  control_state[STEP] = t;
  control_state[RATE] = rate(t);
  control_state[CORRECTION1] = correction(params.beta1, t);
  control_state[CORRECTION2] = correction(params.beta2, t);
  control_state[NORM] = norm;
  control_state[CLIP] = select(1.0, params.clip / norm, norm > params.clip) / f32(params.batch);
}

struct Settled {
  eta: f32,
  clip: f32,
  correction1: f32,
  correction2: f32,
  keep: f32,
  failed: bool,
}

fn update_at(i: u32, kind: u32, state: Settled) {
  let p = parameters[i];
  let w = select(vec4<f32>(0.0), vec4<f32>(params.decay), which(kind, DECAYS));
  let learns = which(select(kind, 0u, state.failed), LEARNED);
  var g = gradient[i] * state.clip;
  var next = p;
  var m1 = vec4<f32>(0.0);
  if (METHOD != SGD || MOMENTUM) { m1 = moment1[i]; }
  if (METHOD == SGD) {
    let m = fma(vec4<f32>(params.beta1), m1, g + w * p);
    if (MOMENTUM) { moment1[i] = select(m1, m, learns); }
    next = p - state.eta * m;
  } else {
    if (METHOD == ADAM) { g += w * p; }
    let m2 = moment2[i];
    let m = fma(vec4<f32>(params.beta1), m1, (1.0 - params.beta1) * g);
    let v = fma(vec4<f32>(params.beta2), m2, (1.0 - params.beta2) * g * g);
    moment1[i] = select(m1, m, learns);
    moment2[i] = select(m2, v, learns);
    var change = m * state.correction1 / (sqrt(v * state.correction2) + params.epsilon);
    if (METHOD == ADAMW) { change += w * p; }
    next = p - state.eta * change;
  }
  parameters[i] = select(p, next, learns);
  if (AVERAGE) {
    let mean = average[i];
    average[i] = select(mean, fma(vec4<f32>(state.keep), mean, (1.0 - state.keep) * next), learns);
  }
}

/// Four words of `kinds` an invocation, 16 numbers, for what it reads of the state and for its own start. Where a step has failed, each stays by a select:
/// SwiftShader runs what a branch leaves out, and takes longer for the branch.
@compute @workgroup_size(64)
fn update(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let t = settled[STEP];
  let keep = min(params.average_decay, (1.0 + t) / (10.0 + t));
  let state = Settled(settled[RATE], settled[CLIP], settled[CORRECTION1], settled[CORRECTION2], keep, settled[FAILED] != 0.0);
  var word = shared_by(4u, wg, lane);
  let end = min(word + 256u, params.length / 4u);
  loop {
    let kind = kinds[word];
    update_at((kind >> 8u) * 64u + lane, kind, state);
    continuing {
      word += 64u;
      break if word >= end;
    }
  }
}
