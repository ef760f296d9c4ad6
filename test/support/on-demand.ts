import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';

/** What the set-up starts only when a test asks for it. */
export interface OnDemand {
  /** `http://host:port`: tests ask here, with `ask`. */
  readonly address: string;
  readonly close: () => void;
}

/**
 * Tests run in processes of their own, so they ask the process of the set-up over HTTP, and what it starts belongs to it.
 * `answers` gets the path without its slash; null: there is nothing of that name.
 */
export async function offer(answers: (path: string) => Promise<string> | null): Promise<OnDemand> {
  const server = createServer((asked, response) => {
    const path = (asked.url ?? '').slice(1);
    const answering = answers(path);
    if (answering === null) answer(response, 404, `there is no ${path} in this test run`);
    else
      answering.then(
        (words) => answer(response, 200, words),
        (error: unknown) => answer(response, 500, error instanceof Error ? error.message : String(error)),
      );
  });
  server.listen(0, '127.0.0.1').unref();
  await once(server, 'listening');
  const at = server.address();
  const port = typeof at === 'object' && at !== null ? at.port : 0;
  return { address: `http://127.0.0.1:${port}`, close: () => void server.close() };
}

/** The answer, however long it takes: `fetch` would give up after five minutes. Fails with what the set-up says. */
export async function ask(address: string, path: string): Promise<string> {
  const asked = request(`${address}/${path}`, { agent: false }).end();
  // the event of an answer always carries it
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  const said = await text(response);
  if (response.statusCode !== 200) throw new Error(said);
  return said;
}

function answer(response: ServerResponse, status: number, words: string): void {
  response.writeHead(status, { 'content-type': 'text/plain', connection: 'close' }).end(words);
}
