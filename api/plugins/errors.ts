import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { failures, type FailureCode } from '../../contracts/failures.ts';
import { isLedgerFailure, ledgerFailureCode } from '../../ledger/index.ts';
import { problemOf, problemType, Refusal, requestInvalid } from '../problems.ts';

/** How long a caller does well to wait before it tries again what was *busy*, seconds. */
const retryAfter = 5;

/** Every error leaves as a problem of RFC 9457, whoever threw it. */
export function useProblems(app: FastifyInstance): void {
  app.setErrorHandler((error, request, reply) => answer(error, request, reply));
  app.setNotFoundHandler((request, reply) =>
    answer(new Refusal('NOT_FOUND', `there is no ${request.method} ${pathOf(request)}`), request, reply),
  );
}

async function answer(error: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const refusal = refusalFrom(error);
  const { status, family } = failures[refusal.code];
  const fields = { code: refusal.code, cause: causeOf(error) };
  if (status >= 500) request.log.error(fields, 'request failed');
  else request.log.info(fields, 'request refused');
  if (family === 'busy' && !reply.hasHeader('retry-after')) reply.header('retry-after', retryAfter);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  return reply.code(status).type(problemType).send(problemOf(refusal, request.id));
}

function refusalFrom(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (isLedgerFailure(error)) return new Refusal('LEDGER_UNREACHABLE', 'the ledger does not answer');
  const code = error instanceof Error && 'code' in error ? (error as FastifyError).code : '';
  return (
    frameworkRefusals[code]?.() ?? new Refusal('INTERNAL', 'the service made a mistake; its log has the request id')
  );
}

const refusal = (code: FailureCode, detail: string) => () => new Refusal(code, detail);
const badBody = (detail: string) => () => requestInvalid([{ pointer: '', detail }]);

/** What Fastify itself refuses, by its codes. */
const frameworkRefusals: Readonly<Record<string, () => Refusal>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: refusal('BODY_TOO_LARGE', 'the body is larger than this service takes'),
  FST_ERR_CTP_INVALID_MEDIA_TYPE: refusal('MEDIA_TYPE_UNKNOWN', 'send application/json or application/yaml'),
  FST_ERR_CTP_EMPTY_JSON_BODY: badBody('is empty'),
  FST_ERR_CTP_INVALID_JSON_BODY: badBody('is not JSON'),
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: badBody('is not as long as its header says'),
  FST_ERR_BAD_URL: refusal('NOT_FOUND', 'the address cannot be read'),
};

/** What a person needs to find the cause: of a driver's error only its code, of a mistake of ours its stack. */
function causeOf(error: unknown): string | undefined {
  if (error instanceof Refusal) return undefined;
  if (isLedgerFailure(error)) return ledgerFailureCode(error);
  return error instanceof Error ? error.stack : typeof error;
}

const pathOf = ({ url }: FastifyRequest): string => url.split('?', 1)[0] ?? '';
