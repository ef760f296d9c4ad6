import { getFromDebian, type FoundProgram } from '../debian-package.ts';

/** PgBouncer of this machine, or of the cache. */
export const getPgBouncer = (): Promise<FoundProgram> =>
  getFromDebian({
    name: 'pgbouncer',
    places: ['/usr/sbin/pgbouncer', '/usr/bin/pgbouncer', '/usr/local/bin/pgbouncer', '/opt/homebrew/bin/pgbouncer'],
    path: 'usr/sbin/pgbouncer',
    packages: ['pgbouncer', 'libc-ares2', 'libevent-2.1-7'],
  });
