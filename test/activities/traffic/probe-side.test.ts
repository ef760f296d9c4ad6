import { Server as GrpcServer, ServerCredentials, status, type ServiceDefinition } from '@grpc/grpc-js';
import { createServer as createHttp, type Server as HttpServer } from 'node:http';
import { createServer as createTcp, type AddressInfo, type Server, type Socket } from 'node:net';
import { probeSide as probeIn } from '../../../activities/traffic/probe-side.ts';
import type { Probe } from '../../../contracts/gate.ts';
import { freePort } from '../../../tools/ports.ts';

const listen = async (server: Server | HttpServer): Promise<number> => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port; // it listens on a port
};
/** What asks by network needs no cluster. */
const probeSide = (probe: Probe): Promise<string | null> =>
  probeIn(probe, (name) => {
    throw new Error(`nobody knows ${name}`);
  });
const patient = 5_000;
const hasty = 300;

describe('an HTTP probe', () => {
  const server = createHttp((request, response) => {
    if (request.url === '/slow') return;
    response.writeHead(request.url === '/good' ? 200 : request.url === '/moved' ? 302 : 503, { location: '/good' });
    response.end('secret words');
  });
  let port: number;
  beforeAll(async () => void (port = await listen(server)));
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  test.each([
    ['good', 200, null],
    ['bad', 200, 'HTTP status 503 instead of 200'],
    ['bad', 503, null],
    ['moved', 200, 'HTTP status 302 instead of 200'],
  ])('of /%s with %d says %j', async (path, status, fault) => {
    const url = `http://127.0.0.1:${port}/${path}`;
    expect(await probeSide({ by: 'http', url, status, timeoutMs: patient })).toBe(fault);
  });

  test('of a slow side says that there was no answer', async () => {
    const url = `http://127.0.0.1:${port}/slow`;
    expect(await probeSide({ by: 'http', url, status: 200, timeoutMs: hasty })).toBe('no answer in 300 ms');
  });

  test('of HTTP that is refused says that there is no connection', async () => {
    const url = `http://127.0.0.1:${await freePort()}/`;
    expect(await probeSide({ by: 'http', url, status: 200, timeoutMs: patient })).toBe('no connection');
  });
});

describe('a TCP probe', () => {
  test('of what listens is content, also by its name', async () => {
    const server = createTcp((socket) => socket.end());
    const port = await listen(server);
    for (const host of ['127.0.0.1', 'localhost'])
      expect(await probeSide({ by: 'tcp', address: `${host}:${port}`, timeoutMs: patient })).toBeNull();
    server.close();
  });

  test('of TCP that is refused says so too', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    expect(await probeSide({ by: 'tcp', address, timeoutMs: patient })).toBe('no connection');
  });

  test('of an address that nobody has says that there is no connection in time', async () => {
    // of the range for documentation: no packet of it is ever answered, or it is refused at once
    const fault = await probeSide({ by: 'tcp', address: '192.0.2.1:9', timeoutMs: hasty });
    expect(fault).toMatch(/^no connection( in 300 ms)?$/);
  });
});

/** The messages of the health check by hand, as the protocol's own description has them. */
const health: ServiceDefinition = {
  Check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (text: string) => Buffer.from(text),
    requestDeserialize: (bytes: Buffer) => ({
      service: bytes.subarray((bytes[1] ?? 0) < 0x80 ? 2 : 3).toString(),
    }),
    responseSerialize: (state: number) => (state === 0 ? Buffer.alloc(0) : Buffer.from([0x08, state])),
    responseDeserialize: (bytes: Buffer) => bytes[1] ?? 0,
  },
};

describe('a gRPC probe of a real server', () => {
  const server = new GrpcServer();
  const long = 'a'.repeat(200);
  const states = new Map([
    ['', 1],
    ['shop.Orders', 1],
    [long, 1],
    ['shop.Closing', 2],
    ['shop.Unknown', 0],
  ]);
  let port: number;
  beforeAll(async () => {
    server.addService(health, {
      Check: (
        call: { request: { service: string } },
        answer: (error: { code: status; details: string } | null, state?: number) => void,
      ) => {
        if (call.request.service === 'shop.Slow') return;
        const state = states.get(call.request.service);
        if (state === undefined) answer({ code: status.NOT_FOUND, details: 'secret words' });
        else answer(null, state);
      },
    });
    port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
  });
  afterAll(() => server.forceShutdown());
  const ask = (service: string, timeoutMs = patient, at = port) =>
    probeSide({ by: 'grpc', address: `127.0.0.1:${at}`, service, timeoutMs });

  test.each([
    ['', null],
    ['shop.Orders', null],
    [long, null],
    ['shop.Closing', 'NOT_SERVING instead of SERVING'],
    ['shop.Unknown', 'UNKNOWN instead of SERVING'],
    ['shop.Nobody', 'gRPC status 5'],
  ])('for %j says %j', async (service, fault) => {
    expect(await ask(service)).toBe(fault);
  });

  test('for a slow service says that there was no answer', async () => {
    expect(await ask('shop.Slow', hasty)).toBe('no answer in 300 ms');
  });

  test('of gRPC that is refused says the same', async () => {
    expect(await ask('', patient, await freePort())).toBe('no connection');
  });

  test('of a server without a health check says so by its status', async () => {
    const bare = new GrpcServer();
    const at = await new Promise<number>((resolve) => {
      bare.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, bound) => resolve(bound));
    });
    expect(await ask('', patient, at)).toBe('gRPC status 12');
    bare.forceShutdown();
  });

  test('of what is no gRPC server is not content, and ends', async () => {
    const http = createHttp((_, response) => response.end('hello'));
    expect(await ask('', patient, await listen(http))).toMatch(/^no (connection|answer of gRPC)$/);
    http.close();
    http.closeAllConnections();
    const sockets: Socket[] = [];
    const silent = createTcp((socket) => sockets.push(socket.on('error', () => undefined)));
    expect(await ask('', hasty, await listen(silent))).toBe('no answer in 300 ms');
    for (const socket of sockets) socket.destroy();
    silent.close();
  });
});
