// What a shader binds, by its text. Where one signature says all of it, the shipped text leaves the declarations out, and src/runtime/kernel.ts
// writes them again from the signature, which the host needs anyway.

const bindings = /@group\(0\) @binding\((\d+)\) var<storage, (read|read_write)> (\w+): array<([^;]*)>;\n?/g;
const uniforms = /@group\(0\) @binding\(1\) var<uniform> (\w+): (\w+);\n?/g;
const struct = /struct Params \{\n([^}]*)\}\n?/;

/** Bindings [{ name, binding, written, type }] by binding, and fields [{ name, type }] of `params`; null where entry points differ in what they bind. */
export function declarations(parts) {
  const wgsl = parts.map(({ text }) => text).join('\n');
  const variables = [...wgsl.matchAll(uniforms)];
  if (variables.some(([, name, type]) => name !== 'params' || type !== 'Params')) return null;
  const buffers = [...wgsl.matchAll(bindings)].map(([, binding, access, name, type]) => ({
    name,
    binding: Number(binding),
    written: access === 'read_write',
    type: type.replace(/<([fui])32>/, '$1'),
  }));
  buffers.sort((a, b) => a.binding - b.binding);
  if (new Set(buffers.map(({ binding }) => binding)).size < buffers.length) return null;
  const fields = variables.length === 0 ? [] : [...struct.exec(wgsl)[1].matchAll(/(\w+): (\w+),/g)];
  return { buffers, fields: fields.map(([, name, type]) => ({ name, type })) };
}

/** The text without them. */
export const withoutDeclarations = (text) => text.replace(bindings, '').replace(uniforms, '').replace(struct, '');
