import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getFromDebian } from '../../tools/debian-package.ts';
import { freePort } from '../../tools/ports.ts';

/** Null on a machine that has neither Prometheus nor Debian's package of it. */
const binary = await getFromDebian({
  name: 'prometheus',
  places: ['/usr/bin/prometheus', '/usr/local/bin/prometheus', '/opt/homebrew/bin/prometheus'],
  path: 'usr/bin/prometheus',
  packages: ['prometheus'],
}).then(
  ({ command }) => command,
  () => null,
);

/** `describe` where there is a Prometheus, else skipped. */
export const describeOnPrometheus = binary === null ? describe.skip : describe;

/** Series by their text, such as `errors_total{side="candidate"}`; a test moves them. */
export class Exposition {
  readonly series = new Map<string, number>();
  readonly #server = createServer((_, response) => {
    response.end([...this.series].map(([name, value]) => `${name} ${value}\n`).join(''));
  });
  #moving: NodeJS.Timeout | null = null;

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // it listens on a port
  }

  add(name: string, more: number): void {
    this.series.set(name, (this.series.get(name) ?? 0) + more);
  }

  /** Moves them about twenty times a second, instead of how they were moved before. */
  moves(move: (() => void) | null): void {
    if (this.#moving !== null) clearInterval(this.#moving);
    this.#moving = move === null ? null : setInterval(move, 50);
  }

  close(): void {
    this.moves(null);
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

/** A Prometheus that scrapes one exposition five times a second, and can be away for a while. */
export class TestPrometheus {
  readonly url: string;
  readonly #folder: string;
  #process: ChildProcess | null = null;

  private constructor(url: string, folder: string) {
    this.url = url;
    this.#folder = folder;
  }

  /** `scrape`: how often, and how long it may take at the most. */
  static async start(
    exposition: { readonly listen: () => Promise<string> },
    scrape = '200ms',
  ): Promise<TestPrometheus> {
    const folder = await mkdtemp(join(tmpdir(), 'lakeshift-prometheus-'));
    const target = await exposition.listen();
    await writeFile(
      join(folder, 'prometheus.yml'),
      `scrape_configs: [{ job_name: shop, scrape_interval: ${scrape}, scrape_timeout: ${scrape}, static_configs: [{ targets: ['${target}'] }] }]\n`,
    );
    const prometheus = new TestPrometheus(`http://127.0.0.1:${await freePort()}`, folder);
    await prometheus.up();
    return prometheus;
  }

  async up(): Promise<void> {
    this.#process = spawn(
      binary ?? '',
      [
        `--config.file=${join(this.#folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(this.#folder, 'data')}`,
        `--web.listen-address=${new URL(this.url).host}`,
      ],
      { stdio: 'ignore' },
    );
    while (!(await this.#isReady())) await new Promise((resolve) => setTimeout(resolve, 50));
  }

  async down(): Promise<void> {
    const process = this.#process;
    this.#process = null;
    if (process === null) return;
    const ended = new Promise((resolve) => process.once('exit', resolve));
    process.kill();
    await ended;
  }

  async stop(): Promise<void> {
    await this.down();
    await rm(this.#folder, { recursive: true });
  }

  #isReady(): Promise<boolean> {
    if (this.#process?.exitCode !== null) throw new Error('Prometheus did not start');
    return fetch(`${this.url}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  }
}
