import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';

/** Streams of `v5.channel.k8s.io`: the first byte of each message. */
const [out, err, status] = [1, 2, 3];
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];
/** RFC 6455: what a server proves with that it has read the key. */
const handshake = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** Kinds of frames. */
const [binary, closing] = [2, 8];

/**
 * Runs commands for pods as a kubelet does, each as a process of its own with the pod's name in POD_NAME: the WebSockets
 * of whoever asks come through the API server. The port it listens on at `address`.
 */
export async function runCommands(certificate: string, address: string): Promise<number> {
  const [cert, key] = await Promise.all([readFile(`${certificate}.crt`), readFile(`${certificate}.key`)]);
  const server = createServer({ cert, key }, (_, response) => response.writeHead(404).end());
  server.on('upgrade', ({ url = '', headers }, socket: Duplex) => {
    const [, path = '', query = ''] = /^([^?]*)\??(.*)$/.exec(url) ?? [];
    const [, verb, , pod] = path.split('/');
    const protocol = (headers['sec-websocket-protocol'] ?? '').split(/, */).find((name) => protocols.includes(name));
    const given = headers['sec-websocket-key'];
    if (verb !== 'exec' || pod === undefined || protocol === undefined || given === undefined) {
      socket.destroy();
      return;
    }
    const accepted = createHash('sha1').update(`${given}${handshake}`).digest('base64');
    const head = `Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accepted}\r\nSec-WebSocket-Protocol: ${protocol}`;
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${head}\r\n\r\n`);
    runOne(pod, new URLSearchParams(query).getAll('command'), socket);
  });
  await new Promise<void>((resolve, reject) => server.on('error', reject).listen(0, address, resolve));
  return (server.address() as AddressInfo).port; // it listens on a port
}

function runOne(pod: string, [program = '', ...rest]: readonly string[], socket: Duplex): void {
  const child = execFile(program, rest, { env: { PATH: process.env['PATH'], POD_NAME: pod } }, (error) => {
    socket.write(message(status, JSON.stringify(statusOf(error))));
    // 1000: all is well
    socket.end(Buffer.from([0x80 | closing, 2, 0x03, 0xe8]));
  });
  child.stdout?.on('data', (said: string) => socket.write(message(out, said)));
  child.stderr?.on('data', (said: string) => socket.write(message(err, said)));
  const gone = (): void => void child.kill('SIGKILL');
  socket.on('error', gone);
  socket.on('close', gone);
  // whoever asks sends nothing but, in the end, that the connection is over
  socket.on('data', ([first = 0]: Buffer) => (first & 0x0f) === closing && gone());
}

/** As the API describes how a command has ended. */
function statusOf(error: (Error & { readonly code?: unknown }) | null): object {
  const common = { kind: 'Status', apiVersion: 'v1', metadata: {} };
  if (error === null) return { ...common, status: 'Success' };
  const failed = { ...common, status: 'Failure', message: 'command terminated' };
  if (typeof error.code !== 'number') return { ...failed, reason: 'InternalError' };
  const causes = [{ reason: 'ExitCode', message: String(error.code) }];
  return { ...failed, reason: 'NonZeroExitCode', details: { causes } };
}

/** One message, whole, however much of it there is. */
function message(stream: number, text: string): Buffer {
  const payload = Buffer.concat([Buffer.from([stream]), Buffer.from(text)]);
  return Buffer.concat([Buffer.from([0x80 | binary]), lengthOf(payload), payload]);
}

/** In as few bytes as it can be said with: 126 announces two, 127 eight. */
function lengthOf({ length }: Buffer): Buffer {
  if (length < 126) return Buffer.from([length]);
  const few = length < 2 ** 16;
  const bytes = Buffer.alloc(few ? 2 : 8);
  if (few) bytes.writeUInt16BE(length);
  else bytes.writeBigUInt64BE(BigInt(length));
  return Buffer.concat([Buffer.from([few ? 126 : 127]), bytes]);
}
