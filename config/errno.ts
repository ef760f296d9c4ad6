/** The errno of what a file system call threw, such as ENOENT. Its message is not repeated: it may quote a secret path. */
export function errnoOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return 'unknown';
  return typeof error.code === 'string' ? error.code : 'unknown';
}
