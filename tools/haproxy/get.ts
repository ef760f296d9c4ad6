import { getFromDebian, type FoundProgram } from '../debian-package.ts';

/** HAProxy of this machine, or of the cache; 2.4 or newer. */
export const getHaproxy = (): Promise<FoundProgram> =>
  getFromDebian({
    name: 'haproxy',
    places: ['/usr/sbin/haproxy', '/usr/local/sbin/haproxy', '/opt/homebrew/bin/haproxy'],
    path: 'usr/sbin/haproxy',
    packages: ['haproxy', 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1', 'libpcre2-8-0'],
  });
