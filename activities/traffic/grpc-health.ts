import { connect, constants, type ClientHttp2Session } from 'node:http2';

/** What `grpc.health.v1.Health/Check` may answer, by number. */
const states = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN'] as const;
const serving = 1;
/** More than an answer of one number takes. */
const longestBytes = 64;

/** What came back: the status of the call, and the message with its five bytes in front. */
interface Reply {
  readonly grpcStatus: string | undefined;
  readonly message: Buffer;
}

/**
 * Asks the standard health check of gRPC once, without TLS, at `host:port`; what is wrong, or null.
 *
 * The request has one field and the answer another: they are written and read by hand, which spares a library.
 */
export async function checkGrpcHealth(address: string, service: string, timeoutMs: number): Promise<string | null> {
  const session = connect(`http://${address}`);
  const late = new Promise<string>((resolve) => {
    const timer = setTimeout(() => resolve(`no answer in ${timeoutMs} ms`), timeoutMs);
    session.once('close', () => clearTimeout(timer));
  });
  try {
    return await Promise.race([call(session, service).then(faultOf, () => 'no connection'), late]);
  } finally {
    session.destroy();
  }
}

function call(session: ClientHttp2Session, service: string): Promise<Reply> {
  return new Promise((resolve, reject) => {
    session.on('error', reject);
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: '/grpc.health.v1.Health/Check',
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      te: 'trailers',
    });
    let [grpcStatus, message]: [string | undefined, Buffer] = [undefined, Buffer.alloc(0)];
    const read = (headers: Readonly<Record<string, unknown>>): void => {
      const status = headers['grpc-status'];
      if (typeof status === 'string') grpcStatus = status;
    };
    // an error without a message has its status among the headers, anything else behind the message
    stream.on('response', read);
    stream.on('trailers', read);
    stream.on('data', (part: Buffer) => {
      message = Buffer.concat([message, part]);
      if (message.length > longestBytes) stream.close();
    });
    stream.on('error', reject);
    stream.on('close', () => resolve({ grpcStatus, message }));
    stream.end(framed(requestOf(service)));
  });
}

function faultOf({ grpcStatus, message }: Reply): string | null {
  if (grpcStatus === undefined) return 'no answer of gRPC';
  if (grpcStatus !== '0') return /^\d{1,2}$/.test(grpcStatus) ? `gRPC status ${grpcStatus}` : 'no answer of gRPC';
  const state = stateIn(message);
  if (state === serving) return null;
  return state === null ? 'no answer of a health check' : `${states[state] ?? 'another state'} instead of SERVING`;
}

/** `status`, field 1, a varint; a message without it has its first value. Null: it is something else. */
function stateIn(message: Buffer): number | null {
  const body = bodyOf(message);
  if (body === null) return null;
  if (body.length === 0) return 0;
  // no state that there is takes more than one byte
  return body.length === 2 && body[0] === 0x08 ? (body[1] ?? null) : null;
}

/** What follows the five bytes; null: it is compressed, or not whole. */
function bodyOf(message: Buffer): Buffer | null {
  const [compressed, body] = [message[0], message.subarray(5)];
  return message.length >= 5 && compressed === 0 && body.length === message.readUInt32BE(1) ? body : null;
}

/** `service`, field 1, a text; left out where it is empty: the whole server. */
function requestOf(service: string): Buffer {
  const text = Buffer.from(service, 'utf8');
  return text.length === 0 ? text : Buffer.concat([Buffer.from([0x0a, ...varint(text.length)]), text]);
}

const varint = (value: number): number[] =>
  value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(Math.floor(value / 0x80))];

/** Not compressed, and its length in front. */
function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}
