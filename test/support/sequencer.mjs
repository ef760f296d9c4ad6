import Sequencer from '@jest/test-sequencer';

/** About how long suites take that a run must not begin last, s: for a run that has no durations of an earlier one. */
const about = {
  'activities/sql/tables.test.ts': 200,
  'scenarios/faults.test.ts': 120,
  'guests/eject.test.ts': 120,
  'tools/start.test.ts': 100,
  'properties/sequences.test.ts': 90,
  'activities/sql/tables-versions.test.ts': 70,
  'activities/sql/carry.test.ts': 50,
  'activities/sql/protect.test.ts': 50,
  'guests/export.test.ts': 50,
  'guests/applications.test.ts': 50,
  'scenarios/drift.test.ts': 50,
  'scenarios/rolling.test.ts': 50,
  'activities/sql/backfill.test.ts': 45,
  'activities/sql/kills.test.ts': 40,
  'activities/sql/twice.test.ts': 35,
};
const otherwise = 10;

/** The longest suites first, so that the lanes end together. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const known = ({ path }) => Object.entries(about).find(([end]) => path.endsWith(`/test/${end}`))?.[1];
    const seconds = new Map(tests.map((test) => [test, (this.time(test) ?? 1000 * (known(test) ?? otherwise)) / 1000]));
    return [...tests].sort((one, other) => seconds.get(other) - seconds.get(one));
  }
}
