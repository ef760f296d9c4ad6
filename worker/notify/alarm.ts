/** Somebody who sleeps until a time is over, and can be woken before. */
export class Alarm {
  #wake: (() => void) | null = null;
  #rung = false;

  /** Wakes whoever sleeps; if nobody does, the next sleep is over at once. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Sleeps for `ms`, or until it rings. */
  async sleep(ms: number): Promise<void> {
    if (!this.#rung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = null;
    this.#rung = false;
  }
}
