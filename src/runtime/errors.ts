// Every error the package throws on purpose. `code` is stable; the sentence names a place and both sides of the disagreement.

/** Base class. `code` starts with `E_` and does not change between releases; `message` is for people. */
export class PushforwardError extends Error {
  override readonly name: string = 'PushforwardError';
  readonly code: string;

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Something at `place` is not what it has to be. Message: `${place} needs ${expected}; got ${got}`. */
class MismatchError extends PushforwardError {
  readonly place: string;
  readonly expected: string;
  readonly got: string;

  constructor(code: string, place: string, expected: string, got: string) {
    super(code, `${place} needs ${expected}; got ${got}`);
    this.place = place;
    this.expected = expected;
    this.got = got;
  }
}

/** An array, buffer or tensor has the wrong shape: `flow/coupling[3]: context needs [4096, 8]; got [4096, 6]`. */
export class ShapeError extends MismatchError {
  override readonly name = 'ShapeError';
  constructor(place: string, expected: string, got: string) {
    super('E_SHAPE', place, expected, got);
  }
}

/** An argument has the right shape but a value that cannot be used: `sample: count needs an integer ≥ 1; got 0.5`. */
export class ValueError extends MismatchError {
  override readonly name = 'ValueError';
  constructor(place: string, expected: string, got: string) {
    super('E_VALUE', place, expected, got);
  }
}

/** The device cannot hold or run what was asked for: `flow: parameters need at most 134217728 bytes a binding; got …`. */
export class LimitError extends MismatchError {
  override readonly name = 'LimitError';
  constructor(place: string, expected: string, got: string) {
    super('E_LIMIT', place, expected, got);
  }
}

/** A flow, buffer or device was used after `dispose()`. */
export class DisposedError extends PushforwardError {
  override readonly name = 'DisposedError';
  constructor(message: string) {
    super('E_DISPOSED', message);
  }
}

/** A call came in the wrong state: encoding before `prepare`, or more rows than the device has memory for. */
export class StateError extends PushforwardError {
  override readonly name = 'StateError';
  constructor(message: string, options?: ErrorOptions) {
    super('E_STATE', message, options);
  }
}

/** The device went away while work was under way or before it began. */
export class DeviceLostError extends PushforwardError {
  override readonly name = 'DeviceLostError';
  constructor(message: string, options?: ErrorOptions) {
    super('E_DEVICE_LOST', message, options);
  }
}

/** There is no WebGPU here, or no adapter that meets the request. */
export class AdapterError extends PushforwardError {
  override readonly name = 'AdapterError';
  constructor(message: string, options?: ErrorOptions) {
    super('E_ADAPTER', message, options);
  }
}

/** A shader or a pipeline did not compile. */
export class CompileError extends PushforwardError {
  override readonly name = 'CompileError';
  constructor(message: string, options?: ErrorOptions) {
    super('E_COMPILE', message, options);
  }
}

/** A file or description is malformed. Message: `${place}: ${sentence}`, e.g. `safetensors: the header is not valid JSON`. */
export class FormatError extends PushforwardError {
  override readonly name = 'FormatError';
  readonly place: string;

  constructor(place: string, sentence: string, options?: ErrorOptions) {
    super('E_FORMAT', `${place}: ${sentence}`, options);
    this.place = place;
  }
}

/** A description is well formed but names something (an op, a net, an activation) that is not known here. */
export class UnsupportedError extends PushforwardError {
  override readonly name = 'UnsupportedError';
  readonly place: string;
  readonly known: readonly string[];

  /** Message: `${place}: ${what} is not supported; known: a, b, c` (the list is left out when `known` is empty). */
  constructor(place: string, what: string, known: readonly string[] = []) {
    super('E_UNSUPPORTED', `${place}: ${what} is not supported${known.length > 0 ? `; known: ${known.join(', ')}` : ''}`);
    this.place = place;
    this.known = known;
  }
}
