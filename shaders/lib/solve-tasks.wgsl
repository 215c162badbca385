// What the variants of a sequential solve share: parameters, buffers and the words of a task (autoregressive-solve.wgsl says what tasks are).
// A shader imports one of lib/weights*.wgsl too.
#import "lib/call.wgsl"
#import "lib/layout.wgsl"
#import "lib/activation.wgsl"

const NONE = 0xffffffffu;
const TASK = 20u; // words of a task
const KIND_NARROW = 1u; // a strip of 4 units; 0 is one of 8
const KIND_FEATURE = 2u;
const RUN = 24u; // inputs of one partial sum
const HAS_SCALE = 256u; // flags beside the activation's number
const HAS_SKIP = 512u;
const PLAIN = 1024u; // nothing but a bias, and the identity or a ReLU
const FROM_STATE = 5u; // word of a feature: the state row that it comes from, NONE for `source`
const PANEL = 11u; // word of a strip: the row of side in which its sums begin, NONE for zeros
const SKIPS = 12u; // word of the first of up to 8 state rows that are added

struct Params {
  tasks: u32,
  nodes: u32,         // features of state, the last of them zeros
  dim: u32,           // features of source and result
  side_features: u32, // features of side: context projections, packed like the units they meet, and sums of panels
}

override HAS_LOG_DET: bool = true;
override GENERAL: bool = true; // whether any strip is not PLAIN
override PANELS: bool = false; // whether any strip has a PANEL

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> bias: array<vec4<f32>>;
@group(0) @binding(5) var<storage, read> tasks: array<u32>;
@group(0) @binding(6) var<storage, read> side: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> log_det: array<vec4<f32>>;
