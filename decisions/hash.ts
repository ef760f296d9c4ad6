/**
 * SHA-256 in plain code: decisions run inside the workflow sandbox, which has no crypto module.
 * Source: FIPS 180-4, §6.2.
 */
export function sha256(text: string): string {
  const bytes = utf8(text);
  const words = padded(bytes);
  const state = Uint32Array.from(initial);
  for (let offset = 0; offset < words.length; offset += 16) compress(state, words.subarray(offset, offset + 16));
  return Array.from(state, (word) => word.toString(16).padStart(8, '0')).join('');
}

/** The hash of a value as canonical JSON: keys sorted, fields that are undefined left out. */
export const hashOf = (value: unknown): string => sha256(canonicalJson(value));

/** JSON with sorted keys, so that equal values have equal text. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value ?? null);
  const fields = Object.entries(value)
    .filter(([, field]) => field !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonicalJson(field)}`).join(',')}}`;
}

function compress(state: Uint32Array, block: Uint32Array): void {
  const w = new Uint32Array(64);
  w.set(block);
  for (let i = 16; i < 64; i++) {
    w[i] = at(w, i - 16) + sigma0(at(w, i - 15)) + at(w, i - 7) + sigma1(at(w, i - 2));
  }
  let [a, b, c, d, e, f, g, h] = state as unknown as Eight; // a Uint32Array of eight words
  for (let i = 0; i < 64; i++) {
    const first = (h + sum1(e) + ((e & f) ^ (~e & g)) + at(constants, i) + at(w, i)) | 0;
    const second = (sum0(a) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, i) => {
    state[i] = at(state, i) + word;
  });
}

type Eight = [number, number, number, number, number, number, number, number];

const at = (words: Uint32Array, index: number): number => words[index] ?? 0;
const turn = (x: number, by: number): number => (x >>> by) | (x << (32 - by));
const sigma0 = (x: number): number => turn(x, 7) ^ turn(x, 18) ^ (x >>> 3);
const sigma1 = (x: number): number => turn(x, 17) ^ turn(x, 19) ^ (x >>> 10);
const sum0 = (x: number): number => turn(x, 2) ^ turn(x, 13) ^ turn(x, 22);
const sum1 = (x: number): number => turn(x, 6) ^ turn(x, 11) ^ turn(x, 25);

/** The bytes of a text as PostgreSQL keeps it. */
export function utf8(text: string): number[] {
  const encoded = encodeURIComponent(text.toWellFormed());
  const bytes: number[] = [];
  for (let i = 0; i < encoded.length; i++) {
    const escaped = encoded[i] === '%';
    bytes.push(escaped ? Number.parseInt(encoded.slice(i + 1, i + 3), 16) : encoded.charCodeAt(i));
    if (escaped) i += 2;
  }
  return bytes;
}

function padded(bytes: readonly number[]): Uint32Array {
  const words = new Uint32Array((((bytes.length + 8) >> 6) + 1) * 16);
  [...bytes, 0x80].forEach((byte, i) => {
    words[i >> 2] = at(words, i >> 2) | (byte << (24 - (i % 4) * 8));
  });
  words[words.length - 2] = Math.floor(bytes.length / 2 ** 29);
  words[words.length - 1] = bytes.length << 3;
  return words;
}

const primes = (count: number): number[] => {
  const found: number[] = [];
  for (let n = 2; found.length < count; n++) if (found.every((p) => n % p !== 0)) found.push(n);
  return found;
};
/** The first 32 bits of the fraction of a root, computed exactly with big integers. */
const fraction = (prime: number, root: 2 | 3): number => {
  const scaled = BigInt(prime) << BigInt(32 * root);
  let low = 0n;
  let high = 1n << 40n;
  while (high - low > 1n) {
    const middle = (low + high) >> 1n;
    if (middle ** BigInt(root) <= scaled) low = middle;
    else high = middle;
  }
  return Number(low & 0xffffffffn);
};
const constants = Uint32Array.from(primes(64), (prime) => fraction(prime, 3));
const initial = Uint32Array.from(primes(8), (prime) => fraction(prime, 2));
