// Between one flat vector of parameters and the tables that kernels read: packed weights, biases, constants.
//
//   gather    table[i] = ± parameters[place(i)], or initial[i] where no parameter belongs (ZEROS: 0)
//   scatter   gradient[j] = Σ over i with place(i) = j of ± d_table[i]
//   clear     table[i] = 0
//   products  table[i] = Σ over k from starts[i] to starts[i + 1] of factors[k] · left[k] · right[k]: what a norm leaves of the weights of a layer
//             that it is folded into
//
// A place is u32: 0 for none, else 1 + j, with the top bit set for the negative. scatter finds the places of parameter j in `readers`
// from starts[j] to starts[j + 1] (1 + i, with the same bit), and adds them in that order: the same bits every time.
//
// An invocation takes 4 elements, or 16 to clear: its own start costs as much as one of them on a processor. Those beyond the list are its last one again,
// with the same bits: a branch around each would take what the start does (0.6 of the time without, on SwiftShader).
//
// Shapes      parameters, gradient f32 [count]; place u32, initial, table f32 [length]; d_table f32; starts u32 [count + 1], of products
//             [length + 1]; factors, left, right f32 [terms].
// Error       gather none; scatter one rounding an addition; products 32 + terms / 32 units in the last place of Σ |terms|
//             (tests/cases/parameters.ts).
// Derivative  gather and scatter are each other's; products is for solves, which are differentiated where `implicit` takes them up.

#import "lib/elements.wgsl"

struct Params {
  length: u32,
}

@group(0) @binding(1) var<uniform> params: Params;
@group(0) @binding(2) var<storage, read> parameters: array<f32>;
@group(0) @binding(3) var<storage, read> place: array<u32>;
@group(0) @binding(4) var<storage, read> initial: array<f32>;
@group(0) @binding(5) var<storage, read_write> table: array<f32>;
@group(0) @binding(6) var<storage, read> d_table: array<f32>;
@group(0) @binding(7) var<storage, read> starts: array<u32>;
@group(0) @binding(8) var<storage, read> readers: array<u32>;
@group(0) @binding(9) var<storage, read_write> gradient: array<f32>;
@group(0) @binding(10) var<storage, read> factors: array<f32>;
@group(0) @binding(11) var<storage, read> left: array<f32>;
@group(0) @binding(12) var<storage, read> right: array<f32>;

override ZEROS: bool = false;
override SINGLE: bool = false; // a parameter has one reader at most: readers[j], or 0

fn signed(value: f32, word: u32) -> f32 { return select(value, -value, word >= 0x80000000u); }

fn gather_at(i: u32) {
  let word = place[i];
  let j = word & 0x7fffffffu;
  // One store instead of two branches with one each, both of which SwiftShader runs.
  var other = 0.0;
  if (!ZEROS) { other = initial[i]; }
  table[i] = select(signed(parameters[max(j, 1u) - 1u], word), other, j == 0u);
}

@compute @workgroup_size(64)
fn gather(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = shared_by(4u, wg, lane);
  #repeat k 0 4:
  gather_at(min(first + $k * 64u, params.length - 1u));
  #end;
}

fn scatter_single(j: u32) {
  let word = readers[j];
  let reader = word & 0x7fffffffu;
  gradient[j] = select(signed(d_table[max(reader, 1u) - 1u], word), 0.0, reader == 0u);
}

fn scatter_all(j: u32) {
  if (j >= params.length) { return; }
  var sum = 0.0;
  for (var k = starts[j]; k < starts[j + 1u]; k++) {
    let word = readers[k];
    sum += signed(d_table[(word & 0x7fffffffu) - 1u], word);
  }
  gradient[j] = sum;
}

@compute @workgroup_size(64)
fn scatter(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = shared_by(4u, wg, lane);
  if (SINGLE) {
    #repeat k 0 4:
    scatter_single(min(first + $k * 64u, params.length - 1u));
    #end;
  } else {
    for (var k = 0u; k < 4u; k++) { scatter_all(first + k * 64u); }
  }
}

@compute @workgroup_size(64)
fn clear(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let first = shared_by(16u, wg, lane);
  #repeat k 0 16:
  table[min(first + $k * 64u, params.length - 1u)] = 0.0;
  #end;
}

@compute @workgroup_size(64)
fn products(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_index) lane: u32) {
  let i = shared_by(1u, wg, lane);
  if (i >= params.length) { return; }
  let end = starts[i + 1u];
  var sum = 0.0;
  for (var run = starts[i]; run < end; run += 32u) {
    var part = 0.0;
    for (var k = run; k < min(run + 32u, end); k++) { part = fma(factors[k] * left[k], right[k], part); }
    sum += part;
  }
  table[i] = sum;
}
