// A small coupling in one dispatch: a conditioner with thin ends (thin-net.wgsl), the affine transformer that it parameterises, and the sum of its log-det
// terms. A fusion of thin-net.wgsl, affine.wgsl and row-sum.wgsl.
//
//   p = back(wide(front(x)))            the layers; p written where it is kept (KEEP), for the way back
//   moved[to] = a value[from] + t       t = p[j], a from u = p[SLOTS + j] (lib/affine.wgsl), for up to two slots j, or four without a scale
//   moved[to] = value[from]             features that pass; up to eight in all
//   total += sum over j of log|dy/dx|   nats; HAS_LOG_DET. Of FIRST: total = that sum
//
// Shapes      as thin-net.wgsl, p in the place of its y; value, moved tiled [features, rows]; total tiled [1, rows].
// Error       that of its parts (tests/cases/thin-net-affine.ts).
// Derivative  recorded in parts, since a fusion is chosen when a program is compiled.
// Paper       Dinh, Sohl-Dickstein, Bengio 2017, arXiv:1605.08803, section 3.2.

enable subgroups;

#import "lib/activation.wgsl"
#import "lib/affine.wgsl"
#import "lib/weights.wgsl"
#import "lib/net-weights.wgsl"
#import "lib/thin-net.wgsl"
#import "lib/thin-net-forward.wgsl"

override HAS_LOG_DET: bool = true;
override FIRST: bool = false; // nothing was summed before
override KEEP: bool = false;
override SLOTS: u32 = 1u; // params.slots
override PASSES: bool = false; // some features have no slot

@group(0) @binding(7) var<storage, read> value: array<vec4<f32>>;
@group(0) @binding(8) var<storage, read_write> moved: array<vec4<f32>>;
@group(0) @binding(9) var<storage, read_write> total: array<vec4<f32>>;

/// The i-th of the places of four bits.
fn place(places: u32, i: u32) -> u32 { return ((places >> (4u * i)) & 15u) * TILE4; }

fn finish_row(group: u32, p_at: u32, s0: vec4<f32>, s1: vec4<f32>, s2: vec4<f32>, s3: vec4<f32>) {
  let p = back_values(s0, s1, s2, s3);
  if (KEEP) { keep_back(p_at, p); }
  let at = tiled(params.features, group);
  var sum = vec4<f32>(0.0);
  #repeat j 0 4:
  if ($j < SLOTS) {
    var u = vec4<f32>(0.0);
    // Of more than two slots there is no scale.
    if (SCALE != SCALE_NONE) { u = p[min(SLOTS + $j, 3u)]; }
    let step = move_affine(value[at + place(params.read_places, $j)], p[$j], u);
    moved[at + place(params.left_places, $j)] = step.value;
    sum += step.log_det;
  }
  #end;
  if (HAS_LOG_DET) {
    if (FIRST) { total[group] = sum; } else { total[group] += sum; }
  }
  if (PASSES) {
    var i = SLOTS;
    loop {
      moved[at + place(params.left_places, i)] = value[at + place(params.read_places, i)];
      continuing {
        i++;
        break if i == params.features;
      }
    }
  }
}

@compute @workgroup_size(4)
fn thin_net_affine(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  run_thin_net(wg, lane, id % 4u);
}
