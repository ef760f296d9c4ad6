import { once } from 'node:events';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';

const withinMs = 5_000;

/** What HAProxy's runtime API answers to one command, or to several with `;` between them; empty: done. Fails when nobody answers. */
export async function askRuntime(socketPath: string, command: string): Promise<string> {
  const socket = connect({ path: socketPath, timeout: withinMs });
  socket.once('timeout', () => {
    socket.destroy(new Error(`HAProxy did not answer within ${withinMs / 1000} s`));
  });
  try {
    await once(socket, 'connect');
    // half-closed, HAProxy would take the command for abandoned
    socket.write(`${command}\n`);
    return (await text(socket)).trim();
  } finally {
    socket.destroy();
  }
}
