import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { V1Pod } from '@kubernetes/client-node';
import { startApplication, type Application } from './application.ts';
import { behaviourOf, type Behaviour } from './behaviour.ts';
import { statusPatch, type PodFacts } from './pod-status.ts';

/** What a pod needs of its node. */
export interface Node {
  readonly address: string;
  /** Writes the pod's status. */
  readonly report: (pod: V1Pod, patch: object) => Promise<void>;
  /** Says that the pod has ended, so that it vanishes. */
  readonly remove: (pod: V1Pod) => Promise<void>;
}

const backOffMs = { first: 500, longest: 10_000 };

/** One pod on its node: it starts, gets ready, may die and start again, drains and ends, as its containers' names and environment say. */
export class RunningPod {
  readonly #pod: V1Pod;
  readonly #node: Node;
  readonly #behaviour: Behaviour;
  readonly #port: number;
  readonly #life = new AbortController();
  /** It was asked to crash, and does so at each start from then on. */
  readonly #broken = new AbortController();
  #facts: PodFacts;
  #application: Application | null = null;
  #ending: { readonly graceMs: number; readonly waiting: AbortController } | null = null;

  constructor(pod: V1Pod, podAddress: string, node: Node) {
    const [container] = pod.spec?.containers ?? [];
    if (container === undefined) throw new Error('a pod without containers');
    this.#pod = pod;
    this.#node = node;
    // the first container answers, the others are only reported
    this.#behaviour = behaviourOf(container);
    this.#port = container.ports?.[0]?.containerPort ?? 8080;
    this.#facts = {
      life: { kind: 'waiting', reason: 'ContainerCreating', message: '' },
      ready: false,
      readyChanged: now(),
      taken: now(),
      restarts: 0,
      died: null,
      podAddress,
      nodeAddress: node.address,
    };
  }

  /** Its whole life; ends when it is asked to end or is gone. */
  async live(): Promise<void> {
    try {
      if (this.#behaviour.stuck === null) for (;;) await this.#liveOnce();
      else await this.#stayStuck(this.#behaviour.stuck);
    } catch (error) {
      if (!this.#life.signal.aborted) throw error;
    }
  }

  /** Goes on serving until it has drained or the grace is over, then ends for good. A shorter grace replaces a longer one. */
  async end(graceMs: number): Promise<void> {
    if (this.#ending !== null && this.#ending.graceMs <= graceMs) return;
    this.#ending?.waiting.abort();
    const waiting = new AbortController();
    this.#ending = { graceMs, waiting };
    this.#life.abort();
    if (this.#application !== null) await this.#drain(graceMs, waiting.signal);
    if (waiting.signal.aborted) return;
    this.#stopApplication();
    await this.#node.remove(this.#pod);
  }

  /** The pod is no more: without any grace. */
  vanish(): void {
    this.#life.abort();
    this.#ending?.waiting.abort();
    this.#stopApplication();
  }

  async #liveOnce(): Promise<void> {
    const { readyAfterMs, diesAfterMs } = this.#behaviour;
    const { podAddress, restarts } = this.#facts;
    const { signal } = this.#broken;
    const application = await startApplication(podAddress, this.#port, {
      pod: this.#pod.metadata?.name ?? '',
      behaviour: this.#behaviour,
      crashed: () => this.#broken.abort(),
    });
    this.#application = application;
    // it was asked to end while it started: nobody has met it yet
    if (this.#life.signal.aborted) this.#stopApplication();
    this.#life.signal.throwIfAborted();
    const born = Date.now();
    const pause = (untilMs: number): Promise<void> => this.#pause(Math.max(0, born + untilMs - Date.now()));
    if (readyAfterMs !== 0) await this.#report({ life: { kind: 'running', since: now() } }, false);
    if (readyAfterMs !== null && readyAfterMs < (diesAfterMs ?? Infinity) && !signal.aborted) {
      if (readyAfterMs > 0) await pause(readyAfterMs);
      await this.#report({ life: { kind: 'running', since: new Date(born).toISOString() } }, true);
    }
    const told = signal.aborted ? null : once(signal, 'abort', { signal: this.#life.signal });
    await Promise.race([told, ...(diesAfterMs === null ? [] : [pause(diesAfterMs)])]);
    this.#stopApplication();
    const waiting = {
      kind: 'waiting',
      reason: 'CrashLoopBackOff',
      message: 'back-off restarting failed container',
    } as const;
    await this.#report({ life: waiting, died: now(), restarts: restarts + 1 }, false);
    await this.#pause(Math.min(backOffMs.longest, backOffMs.first * 2 ** restarts));
  }

  async #stayStuck({ reason, message }: { reason: string; message: string }): Promise<void> {
    await this.#report({ life: { kind: 'waiting', reason, message } }, false);
    if (reason !== 'ErrImagePull') return;
    await this.#pause(backOffMs.first);
    const backOff = { kind: 'waiting', reason: 'ImagePullBackOff', message: `back-off: ${message}` } as const;
    await this.#report({ life: backOff }, false);
  }

  async #report(news: Partial<PodFacts>, ready: boolean): Promise<void> {
    this.#life.signal.throwIfAborted();
    const readyChanged = ready === this.#facts.ready ? this.#facts.readyChanged : now();
    this.#facts = { ...this.#facts, ...news, ready, readyChanged };
    await this.#node.report(this.#pod, statusPatch(this.#pod, this.#facts));
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#life.signal });
  }

  /** The application hears that it is to end only after the hook; a hook that only sleeps is how it is given time to drain, others end at once. */
  async #drain(graceMs: number, signal: AbortSignal): Promise<void> {
    const preStop = this.#pod.spec?.containers[0]?.lifecycle?.preStop;
    const hookMs =
      preStop === undefined ? 0 : Math.min(graceMs, 1000 * (preStop.sleep?.seconds ?? sleepOf(preStop.exec?.command)));
    const restMs = graceMs - hookMs;
    // with a hook it need not take its time as well, unless it is said to
    const drainMs = Math.min(restMs, this.#behaviour.drainMs ?? (preStop === undefined ? restMs : 0));
    await sleep(hookMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    this.#application?.drain();
    await sleep(drainMs, undefined, { signal }).catch(() => undefined);
  }

  #stopApplication(): void {
    this.#application?.stop();
    this.#application = null;
  }
}

const now = (): string => new Date().toISOString();

/** Seconds of a `sleep` in a command; 0: there is none. */
const sleepOf = (command: readonly string[] = []): number =>
  Number(/\bsleep\s+(\d+)/.exec(command.join(' '))?.[1] ?? 0);
