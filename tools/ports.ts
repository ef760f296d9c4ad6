import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { ToolFailure } from './tool-failure.ts';

const loopback = '127.0.0.1';

/** A TCP port on loopback that is free now. Somebody else may take it before it is used. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, loopback);
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new ToolFailure('no free TCP port could be found');
  return address.port;
}

/** Fails with one line that says what takes which port and how to move it. */
export async function claimPort(port: number, what: string, variable: string): Promise<void> {
  const server = createServer();
  server.listen(port, loopback);
  try {
    await once(server, 'listening');
  } catch {
    throw new ToolFailure(`port ${port} for ${what} is taken; end what uses it, or set ${variable} (0: any free port)`);
  }
  server.close();
  await once(server, 'close');
}

/** Whether something accepts connections there. */
export async function answers(port: number, host: string = loopback): Promise<boolean> {
  const socket = connect({ port, host });
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
