// Where choices are kept between visits: IndexedDB in a browser, a file in Node. One record an adapter and a version of the shaders.

const DATABASE = 'pushforward';
const TABLE = 'variants';

/** Names of the chosen variants, by class of rows and shape. */
export type Remembered = Readonly<Record<string, string>>;

export interface Store {
  read(key: string): Promise<Remembered>;
  write(key: string, choices: Remembered): Promise<void>;
}

const settled = <T>(request: IDBRequest<T>): Promise<T> =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function openDatabase(): Promise<IDBDatabase> {
  const request = indexedDB.open(DATABASE, 1);
  request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
  return settled(request);
}

const database: Store = {
  async read(key) {
    const open = await openDatabase();
    try {
      return ((await settled(open.transaction(TABLE).objectStore(TABLE).get(key))) as Remembered | undefined) ?? {};
    } finally {
      open.close();
    }
  },
  async write(key, choices) {
    const open = await openDatabase();
    try {
      await settled(open.transaction(TABLE, 'readwrite').objectStore(TABLE).put(choices, key));
    } finally {
      open.close();
    }
  },
};

/** What is used of Node, without its types: the library is built for browsers. */
interface NodeModules {
  'node:fs/promises': {
    readFile(path: string, encoding: 'utf8'): Promise<string>;
    writeFile(path: string, text: string): Promise<void>;
    mkdir(path: string, options: { recursive: true }): Promise<unknown>;
  };
  'node:os': { homedir(): string };
  'node:path': { join(...parts: string[]): string; dirname(path: string): string };
}
interface NodeProcess {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absent before Node 20.16 and 22.3. */
  readonly getBuiltinModule?: <K extends keyof NodeModules>(name: K) => NodeModules[K];
}

function fileStore(env: NodeProcess['env'], getBuiltinModule: NonNullable<NodeProcess['getBuiltinModule']>): Store {
  const { readFile, writeFile, mkdir } = getBuiltinModule('node:fs/promises');
  const { join, dirname } = getBuiltinModule('node:path');
  const file = join(env.XDG_CACHE_HOME ?? join(getBuiltinModule('node:os').homedir(), '.cache'), DATABASE, `${TABLE}.json`);
  const all = async (): Promise<Record<string, Remembered>> => {
    try {
      return JSON.parse(await readFile(file, 'utf8')) as Record<string, Remembered>;
    } catch {
      return {}; // not there yet, or not ours: it is written anew
    }
  };
  return {
    read: async (key) => (await all())[key] ?? {},
    async write(key, choices) {
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, JSON.stringify({ ...(await all()), [key]: choices }));
    },
  };
}

/** The store of this platform; null where there is none. */
export function platformStore(): Store | null {
  if (globalThis.indexedDB) return database;
  const { process } = globalThis as { readonly process?: NodeProcess };
  return process?.getBuiltinModule ? fileStore(process.env, process.getBuiltinModule) : null;
}
