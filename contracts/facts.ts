/** What *inspect* saw of a table. Facts only: what they mean is decided elsewhere. Sizes in bytes, counts in rows. */
export interface TableFacts {
  readonly serverVersion: number;
  readonly schema: string;
  readonly table: string;
  /** Null when there is no such table; then everything below is empty. */
  readonly oid: number | null;
  /** pg_class.relkind: `r` table, `p` partitioned, `v` view… */
  readonly kind: string | null;
  readonly owner: string | null;
  /** Estimated by the planner's statistics; null when never analysed. */
  readonly rows: number | null;
  readonly bytes: number | null;
  readonly pages: number | null;
  readonly fillfactor: number;
  /** Leaves of a partitioned table, at most 1,001; none of any other. */
  readonly partitions?: readonly PartitionFacts[];
  /** Row-level security hides rows even from the owner. */
  readonly rowSecurity: boolean;
  readonly columns: readonly ColumnFacts[];
  /** The primary key's columns in order, or those of a unique index over not-null columns; empty: none. */
  readonly key: readonly ColumnRef[];
  readonly indexes: number;
  readonly triggers: readonly TriggerFacts[];
  readonly foreignKeys: readonly ForeignKeyFacts[];
  readonly views: readonly ViewFacts[];
  readonly publications: readonly string[];
  readonly rights: RightsFacts;
  /** Absent in plans made before it was looked at. */
  readonly shape?: ShapeFacts;
  readonly expressions: readonly ExpressionFacts[];
  /** Names near to the one asked for, when the table does not exist. */
  readonly tablesNearby: readonly string[];
  /** The id of the deployment that holds the table now. */
  readonly holder: string | null;
}

/** One leaf of a partitioned table. */
export interface PartitionFacts {
  readonly name: string;
  readonly oid: number;
  /** pg_class.relkind: `r` table, `f` foreign table. */
  readonly kind: string;
  readonly pages: number;
}

/** What kind of table it is, where that matters to rewriting its rows. */
export interface ShapeFacts {
  readonly temporary: boolean;
  /** A partition of another table. */
  readonly partition: boolean;
  /** Other tables inherit from it. */
  readonly hasChildren: boolean;
  /** It inherits from others. */
  readonly hasParents: boolean;
  /** Columns that it has or had: PostgreSQL counts dropped ones too. */
  readonly columnsEver: number;
  /** A publication sends its updates, and it has no replica identity: PostgreSQL refuses every update. */
  readonly updatesFail: boolean;
  /** Rules that rewrite updates. */
  readonly updateRules: readonly string[];
}

export interface ColumnRef {
  readonly name: string;
  /** As `format_type` prints it. */
  readonly type: string;
}

export interface ColumnFacts extends ColumnRef {
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  /** The default's SQL as the catalog prints it, when it is a plain constant; null otherwise. */
  readonly constantDefault: string | null;
  /** Generated from others, or an identity column. */
  readonly generated: 'no' | 'stored' | 'identity';
}

export interface TriggerFacts {
  readonly name: string;
  /** Fires before the row is written, for each row. */
  readonly beforeRow: boolean;
  readonly enabled: boolean;
}

export interface ForeignKeyFacts {
  readonly name: string;
  readonly columns: readonly string[];
  /** True: another table points here. */
  readonly incoming: boolean;
  readonly otherTable: string;
}

export interface ViewFacts {
  readonly name: string;
  /** Columns of the table that the view reads. */
  readonly columns: readonly string[];
}

export interface RightsFacts {
  readonly role: string;
  /** The database that our role is connected to; absent in plans made before it was looked at. */
  readonly database?: string;
  readonly superuser: boolean;
  /** The table's owner, when our role does not have its rights by itself but may take it on by `SET ROLE`. */
  readonly actsAs?: string;
  /** Member of the role that owns the table. */
  readonly ownsTable: boolean;
  /** May create our schema, or it exists and may be used. */
  readonly schemaReady: boolean;
  /** May make temporary objects. */
  readonly temporary: boolean;
}

/** What the server itself says of one expression of the spec. */
export interface ExpressionFacts {
  /** JSON pointer into the spec: `/changes/0/up`. */
  readonly pointer: string;
  readonly ok: boolean;
  /** SQLSTATE when it was not accepted. */
  readonly code: string | null;
  /** The name the server did not know, when it named one. */
  readonly name: string | null;
  /** Columns of the table that the expression reads. */
  readonly reads: readonly string[];
  /** Functions that it calls and for whose promises nobody vouches: not of the server, nor of an extension in C. */
  readonly calls?: readonly string[];
  /** Of a new column's type: a column of it is filled or checked when it is added, so the table would be rewritten. */
  readonly fills?: boolean;
  /** NULL is not a value of the type that the expression gives. */
  readonly refusesNull?: boolean;
}
