// Files on disk: tables by the ending of their name, and results that are written whole or not at all.

import { randomBytes } from 'node:crypto';
import { access, constants, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { parseCsv, writeCsv } from './csv.js';
import { parseJsonTable, writeJsonTable } from './json.js';
import { parseNpy, writeNpy } from './npy.js';
import { type Choose, DataError, type Table } from './table.js';
import { CommandError, sentence, UsageError } from './usage.js';

const ENDINGS = '.csv, .tsv, .txt, .json or .npy';

const reasons: Record<string, string> = {
  ENOENT: 'does not exist',
  EISDIR: 'is a folder',
  ENOTDIR: 'lies in something that is no folder',
  EACCES: 'may not be opened by this user',
  EPERM: 'may not be opened by this user',
  EROFS: 'lies on a disk that cannot be written',
  ENOSPC: 'has no room on its disk',
  ERR_STRING_TOO_LONG: 'is text of more than half a gigabyte; .npy has no such limit',
  ERR_FS_FILE_TOO_LARGE: 'is larger than two gigabytes',
};

/** @throws CommandError */
function refuse(path: string, error: unknown, place = ''): never {
  const { code } = error as NodeJS.ErrnoException;
  throw new CommandError(`${place}${path} ${reasons[code ?? ''] ?? `cannot be used: ${sentence(error)}`}`);
}

/** A copy of its own, which Node's pool of buffers has no part in. */
export async function readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await readFile(path));
  } catch (error) {
    refuse(path, error);
  }
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    refuse(path, error);
  }
}

/** @param choose of files that name their columns. @throws CommandError with the name of the file and the place in it. */
export async function readTable(path: string, choose?: Choose): Promise<Table> {
  try {
    switch (extname(path).toLowerCase()) {
      case '.npy':
        return parseNpy((await readBytes(path)).buffer);
      case '.json':
        return parseJsonTable(await readText(path), choose);
      case '.csv':
      case '.tsv':
      case '.txt':
        return await parseCsv(await readText(path), choose);
    }
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const [first = '', ...rest] = error.message;
    throw new CommandError(`${path}: ${first.toLowerCase()}${rest.join('')}`);
  }
  throw new CommandError(`${path} does not end in ${ENDINGS}`);
}

export type Pieces = Iterable<string | Uint8Array>;

/** A table in the format that a name ends in. @throws UsageError */
export function formatOf(path: string): (table: Table) => Pieces {
  switch (extname(path).toLowerCase()) {
    case '.npy':
      return writeNpy;
    case '.json':
      return writeJsonTable;
    case '.tsv':
      return (table) => writeCsv(table, '\t');
    case '.csv':
    case '.txt':
      return (table) => writeCsv(table);
  }
  throw new UsageError(`--out ${path} does not end in ${ENDINGS}`);
}

/** Asked before the work rather than after it. @throws CommandError where no file can be written at the path of an option. */
export async function checkWritable(path: string, option: string): Promise<void> {
  const folder = dirname(resolve(path));
  try {
    await access(folder, constants.W_OK);
  } catch (error) {
    refuse(folder, error, `--${option} ${path} cannot be written: `);
  }
  const there = await stat(path).catch(() => null);
  if (there?.isDirectory()) throw new CommandError(`--${option} ${path} is a folder`);
}

/** Writes beside the path and moves it there, so that an old file stays until the new one is whole. @throws CommandError */
export async function writeWhole(path: string, pieces: Pieces): Promise<void> {
  const there = await stat(path).catch(() => null);
  // A pipe or a device cannot be replaced.
  const plain = there === null || there.isFile();
  const target = plain ? join(dirname(path), `.${basename(path)}.${randomBytes(4).toString('hex')}`) : path;
  try {
    const file = await open(target, 'w');
    try {
      for (const piece of pieces) await file.writeFile(piece);
    } finally {
      await file.close();
    }
    if (plain) await rename(target, path);
  } catch (error) {
    if (plain) await rm(target, { force: true });
    refuse(path, error);
  }
}
