import type { Counts, Share } from './request-messages.ts';

/** What came of each request, and when it was sent. */
export class RequestTally {
  readonly #sentAt: number[] = [];
  /** Its index among the versions, by request; -1: not answered 200. */
  readonly #version: number[] = [];
  readonly #versions: string[] = [];
  /** How many answers each version has given; counts are asked for many times a second. */
  readonly #answers: number[] = [];
  readonly #failed: Record<string, number> = {};
  readonly #lostBecause: Record<string, number> = {};
  #trouble: Counts['trouble'] = null;
  #ended = 0;

  get sent(): number {
    return this.#sentAt.length;
  }

  get underWay(): number {
    return this.#sentAt.length - this.#ended;
  }

  /** Notes that one is being sent, and gives its number. */
  begin(): number {
    this.#version.push(-1);
    return this.#sentAt.push(Date.now()) - 1;
  }

  answered(request: number, status: number, version: string): void {
    this.#ended += 1;
    if (status !== 200) {
      this.#failed[status] = (this.#failed[status] ?? 0) + 1;
      this.#note(request);
      return;
    }
    const known = this.#versions.indexOf(version);
    const index = known === -1 ? this.#versions.push(version) - 1 : known;
    this.#version[request] = index;
    this.#answers[index] = (this.#answers[index] ?? 0) + 1;
  }

  lost(request: number, because: string): void {
    this.#ended += 1;
    this.#note(request);
    this.#lostBecause[because] = (this.#lostBecause[because] ?? 0) + 1;
  }

  #note(request: number): void {
    const at = this.#sentAt[request] ?? 0;
    const { first, last } = this.#trouble ?? { first: at, last: at };
    this.#trouble = { first: Math.min(first, at), last: Math.max(last, at) };
  }

  counts(): Counts {
    const { total, byVersion } = this.#share(this.#answers);
    return {
      sent: this.sent,
      answered: total,
      failed: { ...this.#failed },
      lost: Object.values(this.#lostBecause).reduce((sum, count) => sum + count, 0),
      lostBecause: { ...this.#lostBecause },
      trouble: this.#trouble,
      byVersion,
      underWay: this.underWay,
    };
  }

  /** Of those sent in [from, to), the ones that were answered 200. */
  between(from: number, to: number): Share {
    const answers = this.#versions.map(() => 0);
    for (const [request, at] of this.#sentAt.entries()) {
      const version = this.#version[request] ?? -1;
      if (at < from || at >= to || version === -1) continue;
      answers[version] = (answers[version] ?? 0) + 1;
    }
    return this.#share(answers);
  }

  /** By version, of those that have answered at all. */
  #share(answers: readonly number[]): Share {
    const byVersion = this.#versions.map((version, index) => [version, answers[index] ?? 0] as const);
    return {
      total: answers.reduce((sum, count) => sum + count, 0),
      byVersion: Object.fromEntries(byVersion.filter(([, count]) => count > 0)),
    };
  }
}
