import pino, { type DestinationStream, type Logger } from 'pino';

/** Secrets never get that far; this is for the day when somebody logs a whole request. */
const redact = ['authorization', '*.authorization', '*.headers.authorization', 'req.headers.authorization'];

/** The service's logger: JSON lines. A request is logged by its method and its path, never with its query or headers. */
export const createLogger = (level: string, destination?: DestinationStream): Logger =>
  pino(
    {
      level,
      redact,
      serializers: {
        req: ({ method, url }: { method: string; url: string }) => ({ method, path: url.split('?', 1)[0] }),
        res: ({ statusCode }: { statusCode: number }) => ({ statusCode }),
      },
    },
    destination ?? pino.destination(1),
  );
