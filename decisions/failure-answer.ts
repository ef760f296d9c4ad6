import { failures, type Failure } from '../contracts/failures.ts';
import type { Plan } from '../contracts/plan.ts';
import type { Progress } from '../contracts/progress.ts';
import { pastNoReturn } from './progress.ts';

/**
 * What a failure that ended a turn leads to. What is busy is tried again; but a disk that has stayed full for all the
 * tries of an activity is not emptied by more of them. Only what is surely broken may take the
 * deployment back by itself, and only as long as that loses nothing; in all other cases a person looks first.
 */
export function answerTo(plan: Plan, progress: Progress, { code }: Failure): 'again' | 'park' | 'rollback' {
  const { family } = failures[code];
  if (code === 'TARGET_FULL') return 'park';
  if (family === 'busy') return 'again';
  if (family !== 'broken' || plan.onFailure === 'park') return 'park';
  if (progress.direction === 'back' || pastNoReturn(plan, progress)) return 'park';
  return progress.wayBack.verdict === 'lossless' ? 'rollback' : 'park';
}
