/**
 * Says what keeps an expression of a spec from standing inside parentheses in a statement of ours, or null.
 *
 * Only its outer form is read here: quotes close, parentheses balance, no comment, no second statement. What it may
 * *do* is judged by the server itself, which must accept it as a generation expression: immutable, of this row alone.
 */
export function expressionFault(text: string): string | null {
  if (text.trim() === '') return 'is empty';
  if (text.length > 2_000) return `has ${text.length} characters; at most 2000 are allowed`;
  const hidden = hiddenCharacter(text);
  if (hidden !== null) return `holds an invisible character (${hidden}); write it as E'\\u…' in a quoted text`;
  let depth = 0;
  let before: Token = { kind: 'other', token: '', fault: null };
  for (const token of tokensOf(text)) {
    const fault = token.fault ?? gluedText(before, token) ?? nameOfOurs(token);
    if (fault !== null) return fault;
    depth += depthOf(token.token);
    if (depth < 0) return 'closes a parenthesis that it has not opened';
    before = token;
  }
  return depth === 0 ? null : 'has a parenthesis that is not closed';
}

/**
 * The same expression with its quoted texts written so that they mean the same under every setting of the server and
 * wherever they are indented: a backslash or a line break only in `E'…'`, and there only as an escape.
 */
export const settled = (text: string): string =>
  tokensOf(text)
    .map(({ kind, token }) => {
      if (kind === 'text' && needsEscapes.test(token))
        return `E${token.replaceAll('\\', '\\\\').replace(breaks, named)}`;
      return kind === 'escapes' ? token.replace(/\\?[\n\r]|\\./gs, (part) => part.replace(/\\?[\n\r]/, named)) : token;
    })
    .join('');

/** The first character that can't be seen, or that turns the text around it, as `U+202E`; null: there is none. */
export function hiddenCharacter(text: string): string | null {
  const [character] = /[\p{Cf}\p{Cs}\p{Co}]|(?![\t\n\r])\p{Cc}/u.exec(text) ?? [];
  const code = character?.codePointAt(0);
  return code === undefined ? null : `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

type Kind = 'text' | 'escapes' | 'name' | 'word' | 'other';

interface Token {
  readonly kind: Kind;
  readonly token: string;
  readonly fault: string | null;
}

function tokensOf(text: string): readonly Token[] {
  const found: Token[] = [];
  for (let rest = text; rest !== '';) {
    const next = take(rest);
    found.push(next);
    if (next.token === '') return found;
    rest = rest.slice(next.token.length);
  }
  return found;
}

function take(text: string): Token {
  for (const { pattern, kind = 'other', fault = null } of tokens) {
    const [token] = pattern.exec(text) ?? [];
    if (token !== undefined) return { kind, token, fault };
  }
  return { kind: 'other', token: '', fault: 'has a quote that is not closed' };
}

const needsEscapes = /[\\\n\r]/;
const breaks = /[\n\r]/g;
const named = (character: string): string => (character.endsWith('\n') ? '\\n' : '\\r');

/** In `date'…'` or `N'…'` there is no room for the E. */
const gluedText = (before: Token, { kind, token }: Token): string | null =>
  before.kind === 'word' && kind === 'text' && needsEscapes.test(token)
    ? 'holds a backslash or a line break in a text that touches a word; leave a space'
    : null;

/** The table that expressions are tried on has a name that no other statement knows. */
const nameOfOurs = ({ kind, token }: Token): string | null =>
  (kind === 'word' || kind === 'name') && /^"?lakeshift_probe"?$/i.test(token) ? 'uses a name of ours' : null;

const depthOf = (token: string): number => {
  if (token === '(' || token === '[') return 1;
  return token === ')' || token === ']' ? -1 : 0;
};

/** In order: what may not stand here at all, then quoted texts and names as a whole, then any other character. */
const tokens: readonly { readonly pattern: RegExp; readonly kind?: Kind; readonly fault?: string }[] = [
  { pattern: /^;/, fault: 'holds a semicolon' },
  { pattern: /^(?:--|\/\*)/, fault: 'holds a comment' },
  { pattern: /^\$/, fault: 'holds a dollar sign' },
  { pattern: /^\\/, fault: 'holds a backslash outside a quoted text' },
  { pattern: /^[eE]'(?:[^'\\]|\\.|'')*'/s, kind: 'escapes' },
  { pattern: /^[eE]'/, fault: 'has a quote that is not closed' },
  { pattern: /^[uU]&['"]/, fault: 'holds a text with Unicode escapes' },
  { pattern: /^'(?:[^']|'')*'/s, kind: 'text' },
  { pattern: /^"(?:[^"]|"")*[\n\r]/, fault: 'holds a line break in a name' },
  { pattern: /^"(?:[^"]|"")+"/s, kind: 'name' },
  { pattern: /^[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*/, kind: 'word' },
  { pattern: /^[^'"]/s },
];
