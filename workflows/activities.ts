import {
  ActivityCancellationType,
  proxyActivities,
  proxyLocalActivities,
  type ActivityOptions,
} from '@temporalio/workflow';
import type { Activities } from '../contracts/activities.ts';

/**
 * The only place that says how long an activity may take and how often it is tried.
 *
 * Temporal tries what is *busy* for about a minute; then the turn ends, says so, and gives way to orders before the
 * next one tries again, without end. An activity that is *broken* says so itself (non-retryable). A cancelled activity is
 * never waited for: its worker may be dead, and what it did is fenced by the next turn.
 */
const given = (options: ActivityOptions) =>
  proxyActivities<Activities>({ cancellationType: ActivityCancellationType.TRY_CANCEL, ...options });

/** Looks: they touch nothing and answer in seconds. */
const looks = given({
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '20 seconds', maximumAttempts: 8 },
});

/** The first effect, while somebody waits for the answer: it gives up when the target does not answer. */
const claims = given({
  startToCloseTimeout: '15 seconds',
  scheduleToCloseTimeout: '20 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '3 seconds' },
});

/** Small writes into our own schema of the target: on the way to an undo, beside a running backfill, at the end. */
const swift = given({
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '10 seconds', maximumAttempts: 10 },
});

/** DDL. Each try climbs its own ladder of lock timeouts for most of a minute and then hands back. */
const alterations = given({
  startToCloseTimeout: '2 minutes',
  heartbeatTimeout: '20 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', maximumAttempts: 3 },
});

/** What is good to have and never worth waiting for. */
const attempts = given({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', maximumAttempts: 3 },
});

/** Slices of long work. They heartbeat: a dead worker is noticed within five seconds and another one goes on. */
const slices = given({
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: '5 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '10 seconds', maximumAttempts: 10 },
});

/** One statement that may read a whole table and cannot be sliced. */
const longStatements = given({
  startToCloseTimeout: '1 day',
  heartbeatTimeout: '5 seconds',
  retry: { initialInterval: '1 second', maximumInterval: '10 seconds', maximumAttempts: 5 },
});

/** The ledger may be away for days: a deployment neither waits for it nor forgets what it owes it. */
const ledger = given({
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '15 seconds' },
});

type Name = keyof Activities;
type Call<N extends Name> = (
  summary: string,
  ...args: Parameters<Activities[N]>
) => Promise<Awaited<ReturnType<Activities[N]>>>;

/** Puts the summary, which the Temporal UI shows, in front of an activity's own arguments. */
function summarised<N extends Name>(proxy: ReturnType<typeof given>, name: N): Call<N> {
  // The proxy makes each member from the activity's own type; TypeScript cannot follow that through a generic name.
  const activity = proxy[name] as unknown as {
    executeWithOptions(
      options: ActivityOptions,
      args: Parameters<Activities[N]>,
    ): Promise<Awaited<ReturnType<Activities[N]>>>;
  };
  return (summary, ...args) => activity.executeWithOptions({ summary }, args);
}

/**
 * Looks of a preview, for which somebody waits: run by the worker that has the workflow, without a way through the
 * server. They touch nothing, and an answer that is lost is looked for again.
 */
export const {
  look: lookAtOnce,
  lookCluster: lookAtClusterOnce,
  lookModel: lookAtModelOnce,
} = proxyLocalActivities<Activities>({
  startToCloseTimeout: '8 seconds',
  retry: { initialInterval: '200 milliseconds', maximumInterval: '1 second' },
});

/** Runs catalog looks in the target. */
export const look = summarised(looks, 'look');
/** Finds the deployment that a cutover waits for. */
export const findDeployment = summarised(looks, 'findDeployment');
/** Takes the lock of the plan's table, or gives up after 20 s. */
export const claim = summarised(claims, 'claim');
/** Gives the lock back when a claim got no clear answer; tried a few times only. */
export const releaseIfPossible = summarised(attempts, 'release');
/** Raises the fence and cancels what runs: the first act of every undo. */
export const raiseFence = summarised(swift, 'raiseFence');
/** Tells a running backfill to pause or to change its rate. */
export const steer = summarised(swift, 'steer');
/** Narrows or widens the lock. */
export const holdColumnsOnly = summarised(swift, 'holdColumnsOnly');
/** Widens the lock before an undo, when that can be had. */
export const holdTableIfPossible = summarised(attempts, 'holdColumnsOnly');
/** Gives the lock back. */
export const release = summarised(swift, 'release');
/** Runs one DDL transaction. */
export const alter = summarised(alterations, 'alter');
/** Runs statements that take long and lock little. */
export const alterLong = summarised(longStatements, 'alterLong');
/** Makes one index beside the application's work. */
export const buildIndex = summarised(longStatements, 'buildIndex');
/** Works on one slice of a backfill. */
export const backfill = summarised(slices, 'backfill');
/** Compares rows for one slice of time. */
export const checkRows = summarised(slices, 'checkRows');
/** Reads what a registry says of a model. */
export const readModel = summarised(looks, 'readModel');
/** Points an alias at a version. */
export const setAlias = summarised(swift, 'setAlias');
/** Applies fields of a workload. */
export const applyWorkload = summarised(swift, 'applyWorkload');
/** Follows a rollout for one slice of time. */
export const awaitRollout = summarised(slices, 'awaitRollout');
/** Removes pods that never become ready and keep their StatefulSet from going on. */
export const removeBroken = summarised(swift, 'removeBroken');
/** Stops a rollout where it is, or lets it go on. */
export const holdRollout = summarised(swift, 'holdRollout');
/** Keeps an autoscaler from scaling down, or lets it. */
export const setScaling = summarised(swift, 'setScaling');
/** Brings a candidate up. */
export const standUp = summarised(swift, 'standUp');
/** Removes a candidate. */
export const takeDown = summarised(swift, 'takeDown');
/** Has a workload run so many pods. */
export const scaleWorkload = summarised(swift, 'scaleWorkload');
/** Sets the candidate's share of the traffic. */
export const setWeight = summarised(swift, 'setWeight');
/** Counts where requests go. */
export const observeTraffic = summarised(slices, 'observeTraffic');
/** Waits, then looks at route and gate. */
export const watchTraffic = summarised(slices, 'watchTraffic');
/** Asks both sides of a shadow for one slice of time. */
export const compareSides = summarised(slices, 'compareSides');
/** Asks whether a side answers. */
export const probeSide = summarised(looks, 'probeSide');
/** Counts queries until there is none, for one slice of time. */
export const followQueries = summarised(slices, 'followQueries');
/** Has follow-up requests go to the coordinator that knows the query. */
export const keepFollowUps = summarised(swift, 'keepFollowUps');
/** Takes that back. */
export const dropFollowUps = summarised(swift, 'dropFollowUps');
/** Follows a statement of each side. */
export const traceFollowUps = summarised(looks, 'traceFollowUps');
/** Writes into the ledger. */
export const record = summarised(ledger, 'record');
/** Verifies the signature of an approval. */
export const checkApproval = summarised(attempts, 'checkApproval');
