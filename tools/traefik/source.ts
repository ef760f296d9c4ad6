import { execFile } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ToolFailure } from '../tool-failure.ts';

const run = promisify(execFile);

/** Clients of some hundred DNS services, for certificates: half of the build, and nothing that routes a request. */
const dnsServices = '"github.com/go-acme/lego/v4/providers/dns"';
const certificates = 'pkg/provider/acme';

const noDnsServices = `// Package dns stands in for the DNS services of lego.
package dns

import (
	"errors"

	"github.com/go-acme/lego/v4/challenge"
)

// NewDNSChallengeProviderByName knows none.
func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, errors.New("built without DNS services: " + name)
}
`;

/** Copies the module's source to a folder that may be written, and leaves the DNS services out. */
export async function copySource(module: string, to: string): Promise<void> {
  // Go keeps its cache read-only, folders too
  await run('cp', ['-R', module, to]);
  await run('chmod', ['-R', 'u+w', to]);
  const file = join(to, certificates, 'provider.go');
  const source = await readFile(file, 'utf8');
  if (!source.includes(dnsServices)) throw new ToolFailure(`no Traefik: ${file} does not import ${dnsServices}`);
  await writeFile(file, source.replace(dnsServices, `"github.com/traefik/traefik/v3/${certificates}/dns"`));
  await mkdir(join(to, certificates, 'dns'));
  await writeFile(join(to, certificates, 'dns', 'dns.go'), noDnsServices);
}
