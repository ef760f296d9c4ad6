/** One thing that is wrong with the configuration. */
export interface ConfigProblem {
  /** The field, as `targets.shop.url`; empty: the whole file. */
  readonly path: string;
  readonly detail: string;
  /** The nearest name that exists, when a name was not known. */
  readonly didYouMean?: string;
}

/** Says everything that is wrong with the configuration at once. Holds no value of it. */
export class ConfigError extends Error {
  readonly code = 'CONFIG_INVALID';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    super(
      [
        `${file} has ${problems.length === 1 ? 'a mistake' : `${problems.length} mistakes`}:`,
        ...problems.map(line),
      ].join('\n'),
    );
    this.name = 'ConfigError';
    this.file = file;
    this.problems = problems;
  }
}

const line = ({ path, detail, didYouMean }: ConfigProblem): string =>
  `  ${path === '' ? '' : `${path} `}${detail}${didYouMean === undefined ? '' : ` (did you mean ${didYouMean}?)`}`;
