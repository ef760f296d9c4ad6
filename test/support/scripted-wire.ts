import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/**
 * What becomes of one statement on its way to the server.
 * - `cut`: the connection ends before the server hears of it.
 * - `lose`: the server has answered, and the connection ends before the answer gets back.
 * - `orphan`: the client is gone at once, and the server goes on with the statement by itself.
 */
export type Fate = 'pass' | 'cut' | 'lose' | 'orphan';

/** A statement that is about to be sent: how many came before it by this wire, and its text. */
export interface Passing {
  readonly number: number;
  readonly sql: string;
}

/** Decides about each statement; the statement waits for the answer. */
export type Script = (statement: Passing) => Promise<Fate> | Fate;

export interface Wire {
  /** The target's URL, by way of this wire. */
  readonly url: string;
  /** Ends every connection and waits until the server has let go of what it still runs for them. */
  close(): Promise<void>;
}

/**
 * A wire to PostgreSQL on which something happens at the k-th statement: just enough of the protocol to tell where a
 * statement begins and where its answer ends.
 */
export async function openWire(target: string, script: Script): Promise<Wire> {
  const upstream = new URL(target);
  const links = new Set<Link>();
  let count = 0;
  const server = createServer((client) => {
    const port = Number(upstream.port === '' ? 5432 : upstream.port);
    links.add(new Link(client, connect(port, upstream.hostname), (sql) => script({ number: (count += 1), sql })));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP
  return {
    url: Object.assign(new URL(upstream), { hostname: '127.0.0.1', port: String(port) }).href,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const link of links) link.end();
      await closed;
      await Promise.all([...links].map(({ over }) => over));
    },
  };
}

/** One client's connection. */
class Link {
  readonly #client: Socket;
  readonly #server: Socket;
  readonly #decide: (sql: string) => Promise<Fate> | Fate;
  readonly #fromClient = new Frames(false);
  readonly #fromServer = new Frames(true);
  readonly #prepared = new Map<string, string>();
  #batch: Buffer[] = [];
  #text = '';
  #work: Promise<void> = Promise.resolve();
  #muted = false;
  #busy = false;
  #ready: (() => void) | null = null;
  /** When the server's side is closed too. */
  readonly over: Promise<void>;

  constructor(client: Socket, server: Socket, decide: (sql: string) => Promise<Fate> | Fate) {
    this.#client = client;
    this.#server = server;
    this.#decide = decide;
    for (const socket of [client, server]) socket.setNoDelay(true).on('error', () => undefined);
    this.over = new Promise((resolve) => server.on('close', () => resolve()));
    client.on('data', (data: Buffer) => {
      for (const frame of this.#fromClient.add(data)) this.#take(frame);
    });
    client.on('close', () => this.end());
    server.on('data', (data: Buffer) => this.#answer(data));
    server.on('close', () => {
      this.#settle();
      client.destroy();
    });
  }

  /** The client leaves; what the server still runs it finishes, and its answer goes nowhere. */
  end(): void {
    this.#muted = true;
    this.#client.destroy();
    if (this.#busy) void this.#idle().then(() => this.#server.destroy());
    else this.#server.destroy();
  }

  #take(frame: Frame): void {
    this.#text = this.#textOf(frame) ?? this.#text;
    this.#batch.push(frame.bytes);
    if (!endsStatement.includes(frame.type)) return;
    const [batch, sql] = [Buffer.concat(this.#batch), this.#text];
    this.#batch = [];
    this.#text = '';
    const counts = frame.type === 'Q' || frame.type === 'S';
    this.#work = this.#work.then(() => (counts ? this.#send(batch, sql) : void this.#server.write(batch)));
  }

  #textOf({ type, bytes }: Frame): string | null {
    if (type === 'Q') return textAt(bytes, 5);
    if (type === 'P') {
      const name = textAt(bytes, 5);
      const sql = textAt(bytes, 5 + Buffer.byteLength(name) + 1);
      this.#prepared.set(name, sql);
      return sql;
    }
    if (type !== 'B' || this.#text !== '') return null;
    const portal = textAt(bytes, 5);
    return this.#prepared.get(textAt(bytes, 5 + Buffer.byteLength(portal) + 1)) ?? null;
  }

  async #send(batch: Buffer, sql: string): Promise<void> {
    if (this.#muted) return;
    const fate = await this.#decide(sql);
    if (fate === 'cut') {
      this.end();
      return;
    }
    this.#busy = true;
    if (fate === 'lose') this.#muted = true;
    const answered = this.#idle();
    this.#server.write(batch);
    if (fate === 'orphan') {
      this.end();
      return;
    }
    await answered;
    if (fate === 'lose') this.end();
  }

  #idle(): Promise<void> {
    const before = this.#ready;
    return new Promise((resolve) => {
      this.#ready = () => {
        before?.();
        resolve();
      };
    });
  }

  #answer(data: Buffer): void {
    if (!this.#muted) this.#client.write(data);
    if (this.#fromServer.add(data).some(({ type }) => type === 'Z')) this.#settle();
  }

  #settle(): void {
    this.#busy = false;
    const ready = this.#ready;
    this.#ready = null;
    ready?.();
  }
}

/** Query, Sync, password and Terminate end what is sent at one go; '' is the start-up. */
const endsStatement = ['Q', 'S', 'p', 'X', ''];

interface Frame {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Cuts a stream into protocol messages; a client's first one has no type. */
class Frames {
  #rest: Buffer = Buffer.alloc(0);
  #typed: boolean;

  constructor(typed: boolean) {
    this.#typed = typed;
  }

  add(data: Buffer): Frame[] {
    this.#rest = this.#rest.length === 0 ? data : Buffer.concat([this.#rest, data]);
    const frames: Frame[] = [];
    for (;;) {
      const head = this.#typed ? 1 : 0;
      if (this.#rest.length < head + 4) return frames;
      const length = head + this.#rest.readUInt32BE(head);
      if (this.#rest.length < length) return frames;
      frames.push({ type: this.#rest.toString('latin1', 0, head), bytes: this.#rest.subarray(0, length) });
      this.#rest = this.#rest.subarray(length);
      this.#typed = true;
    }
  }
}

const textAt = (bytes: Buffer, from: number): string => bytes.toString('utf8', from, bytes.indexOf(0, from));
