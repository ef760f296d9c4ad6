import { getFromDebian, type FoundProgram } from '../debian-package.ts';

/** NGINX of this machine, or of the cache; 1.20 or newer. */
export const getNginx = (): Promise<FoundProgram> =>
  getFromDebian({
    name: 'nginx',
    places: ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/opt/homebrew/bin/nginx'],
    path: 'usr/sbin/nginx',
    packages: ['nginx', 'libpcre2-8-0'],
  });
