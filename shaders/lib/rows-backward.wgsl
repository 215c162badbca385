// Sums over rows, for gradients by what all rows share.
#import "lib/call.wgsl"

/// Which of the four rows of a group are in the batch; the others hold anything.
fn present(group: u32) -> vec4<bool> { return (vec4<u32>(group * 4u) + vec4<u32>(0u, 1u, 2u, 3u)) < vec4<u32>(rows()); }
