import Sequencer from '@jest/test-sequencer';

/**
 * About how long suites take that a run must not begin last, s. A run that knows no durations has these alone; and what
 * it knows may be of a few tests of a suite.
 */
const about = {
  'scenarios/faults.test.ts': 150,
  'guests/eject.test.ts': 110,
  'tools/start.test.ts': 110,
  'properties/sequences.test.ts': 100,
  'activities/sql/tables.test.ts': 100,
  'scenarios/drift.test.ts': 60,
  'activities/sql/tables-versions.test.ts': 50,
  'guests/export.test.ts': 50,
  'scenarios/rolling.test.ts': 45,
  'activities/sql/carry.test.ts': 45,
  'activities/sql/backfill.test.ts': 45,
  'activities/sql/kills.test.ts': 45,
  'activities/sql/twice.test.ts': 40,
  'guests/applications.test.ts': 40,
  'scenarios/after-verify.test.ts': 35,
  'activities/sql/protect.test.ts': 30,
};
const otherwise = 10;

/** The longest suites first, so that the lanes end together. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const known = ({ path }) => Object.entries(about).find(([end]) => path.endsWith(`/test/${end}`))?.[1];
    const seconds = new Map(
      tests.map((test) => {
        const last = this.time(test);
        return [test, Math.max(known(test) ?? 0, last === undefined ? otherwise : last / 1_000)];
      }),
    );
    return [...tests].sort((one, other) => seconds.get(other) - seconds.get(one));
  }
}
