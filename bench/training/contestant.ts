/** A training run of one library, from the weights of the problem. Plain gradient descent on the mean of −log p over all rows, in nats. */
export interface Contestant {
  /** Takes so many steps and gives the loss in front of each. */
  readonly losses: (steps: number) => Promise<number[]>;
  /** Queues so many steps as fast as the library does, and waits until the last loss is on the host. */
  readonly advance: (steps: number) => Promise<void>;
  readonly dispose: () => void;
}
