import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { apisOf, type TestNamespace } from './cluster.ts';

/** What one pod may take to say its figures, ms; of one that does not there are none. */
const patienceMs = 400;

/** What all pods of a namespace say at `/metrics`, each series with the name of its pod, as a scrape of pods has it. */
export class PodMetrics {
  readonly #namespace: TestNamespace;
  readonly #server = createServer((_, answer) => {
    void this.#gathered().then(
      (text) => answer.end(text),
      () => answer.writeHead(503).end(),
    );
  });

  constructor(namespace: TestNamespace) {
    this.#namespace = namespace;
  }

  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // it listens on TCP
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  async #gathered(): Promise<string> {
    const { name: namespace, admin } = this.#namespace;
    const { items } = await apisOf(admin).core.listNamespacedPod({ namespace });
    const said = await Promise.all(
      items.map(({ metadata, status }) =>
        figuresOf(status?.podIP).then((text) => labelled(text, metadata?.name ?? '')),
      ),
    );
    return said.join('');
  }
}

const figuresOf = (address: string | undefined): Promise<string> =>
  address === undefined
    ? Promise.resolve('')
    : fetch(`http://${address}:8080/metrics`, { signal: AbortSignal.timeout(patienceMs) }).then(
        (answer) => answer.text(),
        () => '',
      );

const labelled = (text: string, pod: string): string => text.replaceAll('{', `{pod="${pod}",`);
