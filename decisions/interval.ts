/** Where a share lies, 0 to 1. */
export interface Interval {
  readonly low: number;
  readonly high: number;
}

/**
 * The interval of Clopper and Pearson (Biometrika 26, 1934, 404–413) for the share of `count` of `of`, with at least that
 * confidence (0 to 1) whatever the share is.
 */
export function intervalOf(count: number, of: number, confidence: number): Interval {
  const doubt = (1 - confidence) / 2;
  return {
    low: count === 0 ? 0 : shareAt(doubt, count, of - count + 1),
    high: count === of ? 1 : shareAt(1 - doubt, count + 1, of - count),
  };
}

/** Halvings after which a share is as exact as it is stored. */
const halvings = 60;

/** The share at which a beta distribution has come to that part of itself. */
function shareAt(part: number, a: number, b: number): number {
  let [low, high] = [0, 1];
  for (let step = 0; step < halvings; step++) {
    const middle = (low + high) / 2;
    if (partUpTo(middle, a, b) < part) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** The regularised incomplete beta function (DLMF 8.17). */
function partUpTo(x: number, a: number, b: number): number {
  if (x <= 0 || x >= 1) return x <= 0 ? 0 : 1;
  const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log1p(-x));
  // on the other side the fraction converges slowly: there its mirror image is taken
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b;
}

/** So small that it stands for nothing without being 0. */
const tiny = 1e-300;
/** Of the continued fraction: it needs about the root of the greater parameter. */
const mostTerms = 10_000;

/** The continued fraction DLMF 8.17.22, by the method of Lentz. */
function fraction(x: number, a: number, b: number): number {
  let c = 1;
  let d = 1 / apartFromNothing(1 - ((a + b) * x) / (a + 1));
  let value = d;
  for (let m = 1; m <= mostTerms; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    let factor = 1;
    for (const term of [even, odd]) {
      d = 1 / apartFromNothing(1 + term * d);
      c = apartFromNothing(1 + term / c);
      factor = d * c;
      value *= factor;
    }
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return value;
}

const apartFromNothing = (value: number): number => (Math.abs(value) < tiny ? tiny : value);

/** The logarithm of the gamma function: Stirling's series (DLMF 5.11.1), from 10 on; below by its recurrence. */
function lnGamma(x: number): number {
  if (x < 10) return lnGamma(x + 1) - Math.log(x);
  const square = x * x;
  const series = 1 / 12 - (1 / 360 - (1 / 1_260 - 1 / (1_680 * square)) / square) / square;
  return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series / x;
}
