// Values of one encode call. They reach this uniform as copies recorded in the caller's encoder, never by a queue write, so two
// calls in one encoder keep their own values. A copy moves 16 bits out of a table that is constant, hence the halves.
struct Call {
  rows: vec2<u32>,           // rows of this chunk, low and high 16 bits
  first_row: vec2<u32>,      // row of the whole batch at which the chunk starts
  seed_low: vec2<u32>,       // low 32 bits of the seed
  seed_high: vec2<u32>,      // high 32 bits
  context_stride: vec2<u32>, // 1: a context row for each row; 0: one row for all
  // Programs that run once a step of a sequence are given these three; others never read them.
  step: vec2<u32>,           // of the sequence, from 0
  steps: vec2<u32>,          // of the whole sequence: length of a row-major [rows, steps, features]
  period: vec2<u32>,         // distinct rows, repeated over the batch
}

@group(0) @binding(0) var<uniform> call: Call;

fn whole(halves: vec2<u32>) -> u32 { return halves.x | (halves.y << 16u); }
fn rows() -> u32 { return whole(call.rows); }
