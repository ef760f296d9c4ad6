/** Polls until `look` gives something; what is away for a moment is looked at again. */
export async function until<T>(what: string, look: () => Promise<T | null>, withinMs = 90_000): Promise<T> {
  const end = Date.now() + withinMs;
  let last: unknown = null;
  while (Date.now() < end) {
    try {
      const found = await look();
      if (found !== null) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited in vain for ${what}`, { cause: last });
}
