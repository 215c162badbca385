// Parameters, buffers and the words of a task of a solve by blocks (block-solve.wgsl says what tasks are).
#import "lib/call.wgsl"
#import "lib/layout.wgsl"

// Words of a strip: its stage; its fours of units, and from bit 16 on the turns of the last of them; the first vec4 of its weights; its units; the row of the first; flags;
// the slot of the next stage in which the first is held; the inputs that its stage holds, for the host. Of a feature: KIND_FEATURE; which it is; the row of its first parameter; rows from one to the next; its slot.
const TASK = 8u;
const KIND_FEATURE = 8u;
const ADDS = 1u; // flags of a strip: sums go on from what its rows hold
const RECTIFIES = 2u;
const ENDS = 4u; // sums are whole

struct Params {
  tasks: u32,
  nodes: u32, // features of state: sums of units that are still to come, and parameters
  dim: u32,   // features of source and result
}

override HAS_LOG_DET: bool = true;
override STAGES: u32 = 3; // layers of the net, 2 to 4
override FEATURE_EIGHTS: u32 = 6; // eights of features, and of each hidden layer's units, that are held: 6 at most
override UNIT_EIGHTS: u32 = 6;

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> source: array<vec4<f32>>;
@group(0) @binding(3) var<storage, read> weight: array<vec4<f32>>;
@group(0) @binding(4) var<storage, read> tasks: array<u32>;
@group(0) @binding(5) var<storage, read_write> state: array<vec4<f32>>;
@group(0) @binding(6) var<storage, read_write> result: array<vec4<f32>>;
@group(0) @binding(7) var<storage, read_write> log_det: array<vec4<f32>>;
