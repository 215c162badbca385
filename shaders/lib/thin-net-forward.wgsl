// Where weights of the layers of a thin net lie, forward, and what becomes of their sums (lib/thin-net.wgsl).

fn front_weights(k: u32, j: u32) -> vec4<f32> { return weight[params.front_weight + ((k >> 3u) * FRONT + j) * 2u + ((k >> 2u) & 1u)]; }
fn front_biases(k: u32) -> vec4<f32> { return weight[params.front_bias + (k >> 2u)]; }
fn front_value(at: u32, sum: vec4<f32>) -> vec4<f32> { return activate(FRONT_ACTIVATION, sum); }
fn wide_bias(o: u32) -> f32 { return weight[params.wide_bias + (o >> 2u)][o & 3u]; }
fn wide_value(at: u32, sum: vec4<f32>) -> vec4<f32> { return activate(ACTIVATION, sum); }
fn back_weight(o: u32, j: u32) -> f32 { return weight[params.back_weight + o * 2u][j]; }

/// The four sums of the layer behind, with its biases.
fn back_values(s0: vec4<f32>, s1: vec4<f32>, s2: vec4<f32>, s3: vec4<f32>) -> mat4x4<f32> {
  let bias = weight[params.back_bias];
  return mat4x4<f32>(s0 + bias.x, s1 + bias.y, s2 + bias.z, s3 + bias.w);
}

fn keep_back(at: u32, values: mat4x4<f32>) {
  #repeat j 0 4:
  if ($j < BEHIND) { y[at + $j * TILE4] = values[$j]; }
  #end;
}
