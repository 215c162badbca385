// A canvas that WebGPU draws into, and how the picture gets onto it.

/** How a picture reaches the page: see DirectWindow and CopiedWindow. */
export type Presentation = 'direct' | 'copied';

export abstract class CanvasWindow {
  readonly canvas: HTMLCanvasElement;

  constructor(canvas: HTMLCanvasElement) {
    this.canvas = canvas;
  }

  /** What to draw into, of the canvas's size. */
  abstract target(): GPUTexture;
  /** After the drawing, in the same encoder. */
  abstract encodeCopy(encoder: GPUCommandEncoder): void;
  /** After the submission. */
  abstract show(): Promise<void>;
}

/** The ordinary way: the canvas shows the texture itself. */
class DirectWindow extends CanvasWindow {
  readonly #context: GPUCanvasContext;

  constructor(device: GPUDevice, canvas: HTMLCanvasElement) {
    super(canvas);
    const context = canvas.getContext('webgpu');
    if (!context) throw new Error('This browser gives no WebGPU context for a canvas.');
    context.configure({ device, format: navigator.gpu.getPreferredCanvasFormat(), alphaMode: 'premultiplied' });
    this.#context = context;
  }

  target(): GPUTexture {
    return this.#context.getCurrentTexture();
  }

  encodeCopy(): void {}

  async show(): Promise<void> {}
}

/**
 * For a browser that computes with WebGPU but cannot show it. Chromium with SwiftShader is one, unless its compositor runs on Vulkan too:
 * its GPU process ends when a canvas is drawn into. The texture is read back and put onto a 2D canvas.
 */
class CopiedWindow extends CanvasWindow {
  readonly #device: GPUDevice;
  readonly #context: CanvasRenderingContext2D;
  #texture: GPUTexture | null = null;
  /** A buffer for each picture: the one before may not have arrived yet. */
  #pending: { buffer: GPUBuffer; width: number; height: number; bytesPerRow: number } | null = null;

  constructor(device: GPUDevice, canvas: HTMLCanvasElement) {
    super(canvas);
    const context = canvas.getContext('2d');
    if (!context) throw new Error('This browser gives no 2D context for a canvas.');
    this.#device = device;
    this.#context = context;
  }

  target(): GPUTexture {
    const { width, height } = this.canvas;
    if (this.#texture?.width !== width || this.#texture.height !== height) {
      this.#texture?.destroy();
      const usage = GPUTextureUsage.RENDER_ATTACHMENT | GPUTextureUsage.COPY_SRC;
      this.#texture = this.#device.createTexture({ label: 'picture', size: [width, height], format: 'rgba8unorm', usage });
    }
    return this.#texture;
  }

  encodeCopy(encoder: GPUCommandEncoder): void {
    const texture = this.target();
    const { width, height } = texture;
    const bytesPerRow = Math.ceil((width * 4) / 256) * 256;
    const usage = GPUBufferUsage.COPY_DST | GPUBufferUsage.MAP_READ;
    const buffer = this.#device.createBuffer({ label: 'picture', size: bytesPerRow * height, usage });
    encoder.copyTextureToBuffer({ texture }, { buffer, bytesPerRow }, [width, height]);
    this.#pending = { buffer, width, height, bytesPerRow };
  }

  async show(): Promise<void> {
    const pending = this.#pending;
    this.#pending = null;
    if (!pending) return;
    const { buffer, width, height, bytesPerRow } = pending;
    await buffer.mapAsync(GPUMapMode.READ);
    const rows = new Uint8Array(buffer.getMappedRange());
    const image = new ImageData(width, height);
    for (let y = 0; y < height; y++) image.data.set(rows.subarray(y * bytesPerRow, y * bytesPerRow + width * 4), y * width * 4);
    buffer.destroy();
    this.#context.putImageData(image, 0, 0);
  }
}

/** @throws Error where the browser gives no context. */
export const openWindow = (presentation: Presentation, device: GPUDevice, canvas: HTMLCanvasElement): CanvasWindow =>
  presentation === 'direct' ? new DirectWindow(device, canvas) : new CopiedWindow(device, canvas);

/** Of the textures that `target` gives. */
export const targetFormat = (presentation: Presentation): GPUTextureFormat =>
  presentation === 'direct' ? navigator.gpu.getPreferredCanvasFormat() : 'rgba8unorm';

/** A canvas keeps the kind of its first context for good. */
export function freshCanvas(canvas: HTMLCanvasElement): HTMLCanvasElement {
  const fresh = canvas.cloneNode() as HTMLCanvasElement;
  canvas.replaceWith(fresh);
  return fresh;
}

const PRESENTATION = 'pushforward presentation';

/** For the next load in this tab: browsers give up on the GPU after a few losses. */
export function rememberCopied(): void {
  try {
    sessionStorage.setItem(PRESENTATION, 'copied');
  } catch {
    // Storage may be forbidden; then the next load finds out anew.
  }
}

export function rememberedPresentation(): Presentation {
  try {
    return sessionStorage.getItem(PRESENTATION) === 'copied' ? 'copied' : 'direct';
  } catch {
    return 'direct';
  }
}
