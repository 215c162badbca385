// An ONNX model, written by recording: an operation adds a node, and what comes out is a file for a runtime. The messages are those of
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto, as far as they are used.

import protobuf from 'protobufjs/light';
import type { Data, Ops, Task } from './ops.js';

/** name: [number, type], `*` where repeated. */
const message = (fields: Record<string, readonly [number, string]>) => ({
  fields: Object.fromEntries(
    Object.entries(fields).map(([name, [id, type]]) => [
      name,
      type.startsWith('*') ? { id, type: type.slice(1), rule: 'repeated' } : { id, type },
    ]),
  ),
});

const root = protobuf.Root.fromJSON({
  nested: {
    Model: message({ irVersion: [1, 'int64'], producerName: [2, 'string'], graph: [7, 'Graph'], opsetImport: [8, '*OpsetId'] }),
    OpsetId: message({ domain: [1, 'string'], version: [2, 'int64'] }),
    Graph: message({ node: [1, '*Node'], name: [2, 'string'], initializer: [5, '*Tensor'], input: [11, '*Value'], output: [12, '*Value'] }),
    Node: message({
      input: [1, '*string'],
      output: [2, '*string'],
      name: [3, 'string'],
      opType: [4, 'string'],
      attribute: [5, '*Attribute'],
    }),
    Attribute: message({ name: [1, 'string'], i: [3, 'int64'], type: [20, 'int32'] }),
    Tensor: message({ dims: [1, '*int64'], dataType: [2, 'int32'], name: [8, 'string'], rawData: [9, 'bytes'] }),
    Value: message({ name: [1, 'string'], type: [2, 'Type'] }),
    Type: message({ tensorType: [1, 'TensorType'] }),
    TensorType: message({ elemType: [1, 'int32'], shape: [2, 'Shape'] }),
    Shape: message({ dim: [1, '*Dim'] }),
    Dim: message({ dimValue: [1, 'int64'] }),
  },
});

const FLOAT = 1;
const INT64 = 7;
const INT_ATTRIBUTE = 2;
/** ReduceSum takes its axes as an input from 13 on, Softmax is along one axis from 13 on. */
const OPSET = 17;
const IR_VERSION = 8;

interface Value {
  readonly name: string;
  readonly shape: readonly number[];
}

/** Shapes side by side, from the right. */
function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  const at = (shape: readonly number[], axis: number) => shape[axis - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, axis) => Math.max(at(a, axis), at(b, axis)));
}

/** The model of one pass: inputs `state` and `noise`, where the graph reads it, output `next`. */
export function onnxModel({ weights, state, noise, graph }: Task): Uint8Array {
  const nodes: object[] = [];
  const initializers: object[] = [];
  let count = 0;
  const node = (opType: string, inputs: readonly Value[], shape: readonly number[], attributes: Record<string, number> = {}): Value => {
    const name = `v${count++}`;
    nodes.push({
      name,
      opType,
      input: inputs.map((input) => input.name),
      output: [name],
      attribute: Object.entries(attributes).map(([key, i]) => ({ name: key, i, type: INT_ATTRIBUTE })),
    });
    return { name, shape };
  };
  const initializer = (name: string, { data, shape }: Data): Value => {
    initializers.push({ name, dims: shape, dataType: FLOAT, rawData: new Uint8Array(data.buffer, data.byteOffset, data.byteLength) });
    return { name, shape };
  };
  const integers = (values: readonly number[]): Value => {
    const name = `v${count++}`;
    const rawData = new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
    initializers.push({ name, dims: [values.length], dataType: INT64, rawData });
    return { name, shape: [values.length] };
  };
  const unary = (opType: string) => (x: Value) => node(opType, [x], x.shape);
  const binary = (opType: string) => (a: Value, b: Value) => node(opType, [a, b], broadcast(a.shape, b.shape));
  const last = (shape: readonly number[], size: number) => [...shape.slice(0, -1), size];
  const ops: Ops<Value> = {
    shapeOf: ({ shape }) => shape,
    number: (value) => initializer(`v${count++}`, { data: Float32Array.of(value), shape: [] }),
    matmul: (a, b) => node('MatMul', [a, b], [a.shape[0]!, b.shape[1]!]),
    add: binary('Add'),
    sub: binary('Sub'),
    mul: binary('Mul'),
    div: binary('Div'),
    less: (a, b) => {
      const shape = broadcast(a.shape, b.shape);
      return node('Cast', [node('Less', [a, b], shape)], shape, { to: FLOAT });
    },
    relu: unary('Relu'),
    tanh: unary('Tanh'),
    exp: unary('Exp'),
    sqrt: unary('Sqrt'),
    softplus: unary('Softplus'),
    softmax: (x) => node('Softmax', [x], x.shape, { axis: -1 }),
    sum: (x) => node('ReduceSum', [x, integers([x.shape.length - 1])], last(x.shape, 1), { keepdims: 1 }),
    slice: (x, from, to) => node('Slice', [x, integers([from]), integers([to]), integers([x.shape.length - 1])], last(x.shape, to - from)),
    concat: (parts) =>
      node(
        'Concat',
        parts,
        last(
          parts[0]!.shape,
          parts.reduce((sum, { shape }) => sum + shape.at(-1)!, 0),
        ),
        {
          axis: parts[0]!.shape.length - 1,
        },
      ),
    reshape: (x, shape) => node('Reshape', [x, integers(shape)], shape),
  };
  const held = Object.fromEntries(Object.entries(weights).map(([name, data]) => [name, initializer(name, data)]));
  const end = graph(ops, { name: 'state', shape: state.shape }, { name: 'noise', shape: noise.shape }, held);
  const value = (name: string, shape: readonly number[]) => ({
    name,
    type: { tensorType: { elemType: FLOAT, shape: { dim: shape.map((dimValue) => ({ dimValue })) } } },
  });
  nodes.push({ name: 'end', opType: 'Identity', input: [end.name], output: ['next'], attribute: [] });
  const Model = root.lookupType('Model');
  const readsNoise = nodes.some((each) => (each as { input: string[] }).input.includes('noise'));
  const inputs = [value('state', state.shape), ...(readsNoise ? [value('noise', noise.shape)] : [])];
  return Model.encode(
    Model.fromObject({
      irVersion: IR_VERSION,
      producerName: 'pushforward bench',
      opsetImport: [{ domain: '', version: OPSET }],
      graph: { name: 'pass', node: nodes, initializer: initializers, input: inputs, output: [value('next', end.shape)] },
    }),
  ).finish();
}
