import { quote } from './identifier.ts';

/** Where names of functions and types are looked up in every statement of ours that holds an expression. */
export const searchPath = (schema: string): string => `pg_catalog, ${quote(schema)}, pg_temp`;
