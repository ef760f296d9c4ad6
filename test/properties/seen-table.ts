import type pg from 'pg';
import type { Row, Values } from '../support/row-oracle.ts';
import { keyNames } from './application.ts';
import type { KeyKind } from './keys.ts';

/** What was seen of the catalog. */
export interface Catalog {
  readonly columns: readonly string[];
  readonly notNull: readonly string[];
  /** Columns that a check of ours keeps from being empty. */
  readonly checked: readonly string[];
  /** `tgenabled` of our trigger, or null. */
  readonly trigger: string | null;
  /** Our schema is there. */
  readonly home: boolean;
  /** What the claim says has been altered. */
  readonly altered: readonly string[];
}

/** The real table, as it is found by eyes that see everything. */
export class SeenTable {
  readonly name: string;
  readonly #eyes: pg.Client;
  readonly #keys: readonly string[];

  constructor(name: string, eyes: pg.Client, key: KeyKind) {
    this.name = name;
    this.#eyes = eyes;
    this.#keys = keyNames(key);
  }

  /** The catalog as the test needs it. */
  async catalog(): Promise<Catalog> {
    const { rows } = await this.#eyes.query<Omit<Catalog, 'altered'>>(
      `SELECT to_jsonb(array_agg(attname ORDER BY attnum) FILTER (WHERE attname <> ALL ('{ref,pad,id,region,no}'))) AS columns,
         coalesce(to_jsonb(array_agg(attname) FILTER (WHERE attnotnull AND attname <> ALL ('{id,region,no}'))), '[]') AS "notNull",
         (SELECT coalesce(jsonb_agg(a.attname), '[]') FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
           WHERE c.conrelid = $1::regclass AND c.contype = 'c') AS checked,
         (SELECT tgenabled FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal) AS trigger,
         to_regclass('lakeshift.claims') IS NOT NULL AS home
       FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped`,
      [this.name],
    );
    const [seen] = rows;
    if (seen === undefined) throw new Error('the table is gone');
    if (!seen.home) return { ...seen, altered: [] };
    const claims = await this.#eyes.query<{ altered: string[] }>(
      'SELECT altered FROM lakeshift.claims WHERE table_oid = $1::regclass',
      [this.name],
    );
    return { ...seen, altered: claims.rows[0]?.altered ?? [] };
  }

  /** Every row with its key and the values of these columns. */
  async rows(columns: readonly string[]): Promise<Map<number, Row>> {
    const keys = this.#keys;
    const texts = [...keys, ...columns].map((name) => `${name}::text`);
    const { rows } = await this.#eyes.query<(string | null)[]>({
      text: `SELECT ref::text, ${texts.join(', ')} FROM ${this.name}`,
      rowMode: 'array',
    });
    return new Map(
      rows.map(([ref, ...rest]) => {
        const values: Values = Object.fromEntries(
          columns.map((name, index) => [name, rest[keys.length + index] ?? null]),
        );
        return [Number(ref), { ref: Number(ref), key: rest.slice(0, keys.length).map(String), values }];
      }),
    );
  }

  /** How many rows a statement of the plan counts as misfits. */
  async misfits(sql: string): Promise<number> {
    const { rows } = await this.#eyes.query<{ misfits: number }>(sql);
    return Number(rows[0]?.misfits);
  }

  /** Everything that an effect which must not be felt could have changed. */
  async picture(): Promise<string> {
    const { rows } = await this.#eyes.query<{ picture: string }>(
      `SELECT md5(string_agg(t::text, ',' ORDER BY t::text)) || (SELECT string_agg(p::text, ',' ORDER BY stage) FROM lakeshift.progress AS p)
       || (SELECT string_agg(altered::text, ',') FROM lakeshift.claims) AS picture FROM ${this.name} AS t`,
    );
    return JSON.stringify([rows[0]?.picture, await this.describe()]);
  }

  /** Its columns, constraints, indexes and triggers, a line each. */
  async describe(): Promise<readonly string[]> {
    const { rows } = await this.#eyes.query<{ line: string }>(
      `SELECT line FROM (
         SELECT 'column ' || attname || ' ' || format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' ELSE '' END
           || coalesce(' default ' || (SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef WHERE adrelid = attrelid AND adnum = attnum), '') AS line
           FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped
         UNION ALL SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = $1::regclass
         UNION ALL SELECT 'index ' || pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = $1::regclass
         UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = $1::regclass AND NOT tgisinternal) AS s ORDER BY line`,
      [this.name],
    );
    return rows.map(({ line }) => line);
  }
}
