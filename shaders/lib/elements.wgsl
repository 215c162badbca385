// Which elements of a long list an invocation takes: workgroups of 64 are folded along y (src/kernels/geometry.ts).

/// The first of the `share` elements of an invocation, which lie 64 apart, so that neighbours read neighbours.
fn shared_by(share: u32, wg: vec3<u32>, lane: u32) -> u32 { return (wg.y * 65535u + wg.x) * 64u * share + lane; }
