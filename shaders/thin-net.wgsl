// Linear layers in a row where at most four features go in or come out: a small coupling's conditioner in one dispatch. A fusion of masked-linear.wgsl.
//
//   h = activation_front(V x + a)      FRONT inputs; without it x is h
//   w = activation(W h + b)            the wide layer: up to 64 inputs
//   y = U w + c                        BEHIND outputs
//
// Shapes      x tiled [x_features, rows], read from feature x_at on; weight f32, all layers' as masked-linear.wgsl packs them, the wide one's as lib/net-weights.wgsl, each from its own vec4 on; h tiled
//             [inputs, rows], w tiled [outputs, rows], written where they are kept; y tiled [y_features, rows], from y_at on.
// Error       of each layer (8 + inputs / 8) units in the last place of the sum of its absolute terms at most, of the layer behind (4 + outputs / 4)
//             (tests/cases/thin-net.ts): runs of 8, with which golden maf-d2 shows 1.5 times PyTorch's error; with runs of 24 it was 4.5.
// Derivative  thin-net-backward.wgsl and `weight_gradient`; recorded in parts, since a fusion is chosen when a program is compiled.
// Paper       Dinh et al. 2017, arXiv:1605.08803 (whose conditioners of two features these are).

enable subgroups;

#import "lib/activation.wgsl"
#import "lib/weights.wgsl"
#import "lib/net-weights.wgsl"
#import "lib/thin-net.wgsl"
#import "lib/thin-net-forward.wgsl"

fn finish_row(group: u32, at: u32, s0: vec4<f32>, s1: vec4<f32>, s2: vec4<f32>, s3: vec4<f32>) { keep_back(at, back_values(s0, s1, s2, s3)); }

@compute @workgroup_size(4)
fn thin_net(@builtin(workgroup_id) wg: vec3<u32>, @builtin(local_invocation_id) lane: vec3<u32>, @builtin(subgroup_invocation_id) id: u32) {
  run_thin_net(wg, lane, id % 4u);
}
