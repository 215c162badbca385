// Losses over steps, in at most so many points however long training goes on.

const POINTS = 800;

interface Point {
  readonly step: number;
  readonly loss: number;
  /** Steps that the loss is the mean of. */
  readonly weight: number;
}

export class Curve {
  #training: Point[] = [];
  #validation: { readonly step: number; readonly loss: number }[] = [];
  /** Steps taken by earlier runs of the same flow. */
  #before = 0;
  #last = 0;

  clear(): void {
    this.#training = [];
    this.#validation = [];
    this.#before = 0;
    this.#last = 0;
  }

  /** Another run goes on from here. */
  goOn(): void {
    this.#before = this.#last;
  }

  /** @param step of the present run. @param loss mean over the steps since the call before. */
  add(step: number, loss: number): void {
    const at = this.#before + step;
    this.#training.push({ step: at, loss, weight: at - this.#last });
    this.#last = at;
    if (this.#training.length > POINTS) this.#halve();
  }

  addValidation(step: number, loss: number): void {
    this.#validation.push({ step: this.#before + step, loss });
  }

  /** As uPlot takes them: steps, training, validation, floor. */
  columns(floor: number | null): [number[], (number | null)[], (number | null)[], (number | null)[]] {
    const validation = new Map(this.#validation.map(({ step, loss }) => [step, loss]));
    const training = new Map(this.#training.map(({ step, loss }) => [step, loss]));
    // The floor is there before anything else is.
    if (training.size === 0)
      return [
        [0, 100],
        [null, null],
        [null, null],
        [floor, floor],
      ];
    const steps = [...new Set([0, ...training.keys(), ...validation.keys()])].sort((a, b) => a - b);
    return [
      steps,
      steps.map((step) => training.get(step) ?? null),
      steps.map((step) => validation.get(step) ?? null),
      steps.map(() => floor),
    ];
  }

  get latest(): { readonly training: number | null; readonly validation: number | null } {
    return { training: this.#training.at(-1)?.loss ?? null, validation: this.#validation.at(-1)?.loss ?? null };
  }

  #halve(): void {
    const merged: Point[] = [];
    for (let i = 0; i < this.#training.length; i += 2) {
      const [a, b] = [this.#training[i]!, this.#training[i + 1]];
      const weight = a.weight + (b?.weight ?? 0);
      merged.push(b ? { step: b.step, loss: (a.loss * a.weight + b.loss * b.weight) / weight, weight } : a);
    }
    this.#training = merged;
  }
}
