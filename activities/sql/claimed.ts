import { ApplicationFailure } from '@temporalio/common';
import type { Site } from '../../contracts/activities.ts';
import { failures, type FailureCode } from '../../contracts/failures.ts';
import { failure } from '../failures.ts';
import { home, sessionName } from './home.ts';
import { withSession, type TargetConnection } from './session.ts';

/**
 * Works under the claim of a deployment. When that fails for good and the claim is not there any more, the failure is
 * that: somebody has ejected the change by hand, and whatever else broke follows from it.
 */
export async function claimed<T>(target: TargetConnection, site: Site, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isBroken(error) && !(await isThere(target, site))) {
      throw failure(
        'CLAIM_GONE',
        `target ${target.name} has no claim of ${site.deployment} any more; nothing was done`,
      );
    }
    throw error;
  }
}

const isBroken = (error: unknown): boolean =>
  error instanceof ApplicationFailure && isCode(error.type) && failures[error.type].family === 'broken';

const isCode = (type: string | null | undefined): type is FailureCode =>
  typeof type === 'string' && Object.hasOwn(failures, type);

/** True also when nobody could see: then the first failure stands. */
async function isThere(target: TargetConnection, site: Site): Promise<boolean> {
  try {
    return await withSession(target, sessionName(site), async (session) => {
      const table = await session.query('SELECT to_regclass($1) IS NOT NULL AS there', [`${home(site)}.claims`]);
      if (table[0]?.['there'] !== true) return false;
      const mine = await session.query(`SELECT 1 AS mine FROM ${home(site)}.claims WHERE deployment = $1`, [
        site.deployment,
      ]);
      return mine.length > 0;
    });
  } catch {
    return true;
  }
}
