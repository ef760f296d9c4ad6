/**
 * Says what keeps an expression of a spec from standing inside parentheses in a statement of ours, or null.
 *
 * Only its outer form is read here: quotes close, parentheses balance, no comment, no second statement. What it may
 * *do* is judged by the server itself, which must accept it as a generation expression: immutable, of this row alone.
 */
export function expressionFault(text: string): string | null {
  if (text.trim() === '') return 'is empty';
  if (text.length > 2_000) return `has ${text.length} characters; at most 2000 are allowed`;
  let depth = 0;
  for (let rest = text; rest !== '';) {
    const taken = take(rest);
    if (taken.fault !== null) return taken.fault;
    depth += depthOf(taken.token);
    if (depth < 0) return 'closes a parenthesis that it has not opened';
    rest = rest.slice(taken.token.length);
  }
  return depth === 0 ? null : 'has a parenthesis that is not closed';
}

function take(text: string): { readonly token: string; readonly fault: string | null } {
  for (const { pattern, fault } of tokens) {
    const [token] = pattern.exec(text) ?? [];
    if (token !== undefined) return { token, fault };
  }
  return { token: '', fault: 'has a quote that is not closed' };
}

const depthOf = (token: string): number => {
  if (token === '(' || token === '[') return 1;
  return token === ')' || token === ']' ? -1 : 0;
};

/** In order: what may not stand here at all, then quoted texts and names as a whole, then any other character. */
const tokens: readonly { readonly pattern: RegExp; readonly fault: string | null }[] = [
  { pattern: /^;/, fault: 'holds a semicolon' },
  { pattern: /^(?:--|\/\*)/, fault: 'holds a comment' },
  { pattern: /^\$/, fault: 'holds a dollar sign' },
  { pattern: /^\\/, fault: 'holds a backslash outside a quoted text' },
  { pattern: /^[eE]'(?:[^'\\]|\\.|'')*'/s, fault: null },
  { pattern: /^[eE]'/, fault: 'has a quote that is not closed' },
  { pattern: /^[uU]&['"]/, fault: 'holds a text with Unicode escapes' },
  { pattern: /^'(?:[^']|'')*'/s, fault: null },
  { pattern: /^"(?:[^"]|"")+"/s, fault: null },
  { pattern: /^[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*/, fault: null },
  { pattern: /^[^'"]/s, fault: null },
];
