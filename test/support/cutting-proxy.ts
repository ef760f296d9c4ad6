import { createServer, Socket, type AddressInfo, type Server } from 'node:net';

/** What becomes of a statement on its way. */
export type Fate =
  | 'pass'
  /** The connection ends before the server hears of it. */
  | 'cut before'
  /** The server carries it out, and the connection ends before its answer gets back. */
  | 'cut after'
  /** Waits on its way to the server. */
  | { readonly before: Promise<void> }
  /** Its answer waits on its way back. */
  | { readonly after: Promise<void> };

/** A statement as it passes: its text, and its number since the fate was set, from 1. */
export interface Passing {
  readonly sql: string;
  readonly n: number;
}

/**
 * Stands between a client and PostgreSQL and knows of its protocol where a statement begins and where its answer ends:
 * enough to lose either at any point, to hold it, or to be pointed at another server.
 */
export class CuttingProxy {
  readonly #listener: Server;
  readonly #links = new Set<Link>();
  #upstream: { host: string; port: number };
  #decide: (statement: Passing) => Fate = () => 'pass';
  /** Statements since the fate was set. */
  statements: string[] = [];
  readonly url: string;

  private constructor(listener: Server, upstream: URL) {
    this.#listener = listener;
    this.#upstream = addressOf(upstream);
    const { port } = listener.address() as AddressInfo; // it listens on TCP
    this.url = Object.assign(new URL(upstream), { hostname: '127.0.0.1', port: String(port) }).href;
  }

  static async open(upstream: string): Promise<CuttingProxy> {
    const listener = createServer((client) => proxy.#accept(client));
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const proxy = new CuttingProxy(listener, new URL(upstream));
    return proxy;
  }

  /** From the next statement on, whatever connection it comes by. */
  fate(decide: (statement: Passing) => Fate): void {
    this.statements = [];
    this.#decide = decide;
  }

  /** Whoever connects from now on meets another server. */
  pointAt(url: string): void {
    this.#upstream = addressOf(new URL(url));
  }

  /** Ends every connection, as a firewall does that was restarted. */
  cutAll(): void {
    for (const link of this.#links) link.cut();
  }

  async close(): Promise<void> {
    this.cutAll();
    await new Promise((resolve) => this.#listener.close(resolve));
  }

  #accept(client: Socket): void {
    const link = new Link(client, this.#upstream, (sql) => {
      this.statements.push(sql);
      return this.#decide({ sql, n: this.statements.length });
    });
    this.#links.add(link);
    client.on('close', () => this.#links.delete(link));
  }
}

/** One client's connection. */
class Link {
  readonly #client: Socket;
  readonly #server = new Socket();
  readonly #decide: (sql: string) => Fate;
  readonly #prepared = new Map<string, string>();
  #started = false;
  #fromClient: Buffer = Buffer.alloc(0);
  #fromServer: Buffer = Buffer.alloc(0);
  /** Messages of the statement that is being said. */
  #saying: Buffer[] = [];
  #sql = '';
  /** What is done with the next answer, once it is whole. */
  #answerFate: Fate = 'pass';
  #answer: Buffer[] = [];
  /** Statements and answers go on in order, also when one is held. */
  #way: Promise<void> = Promise.resolve();

  constructor(client: Socket, upstream: { host: string; port: number }, decide: (sql: string) => Fate) {
    this.#client = client;
    this.#decide = decide;
    this.#server.connect(upstream);
    for (const socket of [client, this.#server]) {
      socket.setNoDelay(true);
      socket.on('error', () => this.cut());
    }
    client.on('data', (data) => this.#hear(data));
    client.on('end', () => this.#then(() => void this.#server.end()));
    this.#server.on('data', (data) => this.#listen(data));
    this.#server.on('close', () => this.#then(() => this.cut()));
    client.on('close', () => this.#server.destroy());
  }

  cut(): void {
    this.#client.destroy();
    this.#server.destroy();
  }

  #then(step: () => void | Promise<void>): void {
    this.#way = this.#way.then(step);
  }

  #hear(data: Buffer): void {
    this.#fromClient = Buffer.concat([this.#fromClient, data]);
    for (;;) {
      // only the very first message has no type in front of its length
      const head = this.#started ? 1 : 0;
      const message = takeMessage(this.#fromClient, head);
      if (message === null) return;
      this.#fromClient = this.#fromClient.subarray(message.length);
      if (this.#started) this.#said(message);
      else this.#then(() => this.#send(message));
      this.#started = true;
    }
  }

  #said(message: Buffer): void {
    const type = String.fromCharCode(message[0] ?? 0);
    if (!'QPBDECS'.includes(type)) {
      this.#then(() => this.#send(message));
      return;
    }
    this.#saying.push(message);
    const words = message.subarray(5).toString('utf8').split('\0');
    if (type === 'Q') this.#sql = words[0] ?? '';
    if (type === 'P') this.#prepared.set(words[0] ?? '', (this.#sql = words[1] ?? ''));
    if (type === 'B') this.#sql = this.#prepared.get(words[1] ?? '') ?? '';
    if (type !== 'Q' && type !== 'S') return;
    const whole = Buffer.concat(this.#saying);
    const sql = this.#sql;
    this.#saying = [];
    this.#then(() => this.#statement(whole, sql));
  }

  async #statement(whole: Buffer, sql: string): Promise<void> {
    const fate = this.#decide(sql);
    if (fate === 'cut before') return this.cut();
    if (typeof fate === 'object' && 'before' in fate) await fate.before;
    this.#answerFate = fate;
    this.#send(whole);
  }

  #send(message: Buffer): void {
    if (!this.#server.destroyed) this.#server.write(message);
  }

  #listen(data: Buffer): void {
    this.#fromServer = Buffer.concat([this.#fromServer, data]);
    for (;;) {
      const message = takeMessage(this.#fromServer, 1);
      if (message === null) return;
      this.#fromServer = this.#fromServer.subarray(message.length);
      this.#answer.push(message);
      if (message[0] === readyForQuery || this.#answerFate === 'pass') void this.#answered();
    }
  }

  async #answered(): Promise<void> {
    const fate = this.#answerFate;
    const whole = Buffer.concat(this.#answer);
    this.#answer = [];
    this.#answerFate = 'pass';
    if (fate === 'cut after') return this.cut();
    if (typeof fate === 'object' && 'after' in fate) await fate.after;
    if (!this.#client.destroyed) this.#client.write(whole);
  }
}

const readyForQuery = 'Z'.charCodeAt(0);

function takeMessage(buffer: Buffer, head: number): Buffer | null {
  if (buffer.length < head + 4) return null;
  const length = head + buffer.readUInt32BE(head);
  return buffer.length < length ? null : buffer.subarray(0, length);
}

const addressOf = ({ hostname, port }: URL): { host: string; port: number } => ({
  host: hostname,
  port: Number(port === '' ? 5432 : port),
});
