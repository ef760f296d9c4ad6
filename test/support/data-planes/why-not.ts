/** Why a proxy can't be had here, for the name of what is skipped: ` (there is no …)`; empty: it can. */
export async function whyNot(name: string, found: Promise<unknown>): Promise<string> {
  const lacking = await found.then(
    () => '',
    (error: unknown) => ` (${error instanceof Error ? error.message : String(error)})`,
  );
  // Jest shows no names of what is skipped
  if (lacking !== '') process.stderr.write(`tests through ${name} are skipped:${lacking}\n`);
  return lacking;
}
