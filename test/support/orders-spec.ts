import type { TableSpec } from '../../contracts/spec.ts';

/** Changes of a table `orders`, whose application can bear that statements are prepared anew. */
export const ordersSpec = (...changes: TableSpec['changes']): TableSpec => ({
  name: 'orders-change',
  strategy: 'expand-contract',
  target: 'shop',
  table: 'public.orders',
  changes,
  cutover: { accept: 'prepared-statement-errors' },
});

/** A table on whose columns everything hangs that a table of a shop may have. */
export const shop = `
CREATE TABLE customers (id int PRIMARY KEY, name text);
CREATE TABLE orders (
  id serial CONSTRAINT orders_pk PRIMARY KEY,
  customer_id int NOT NULL CONSTRAINT orders_customer_fk REFERENCES customers ON DELETE CASCADE,
  code varchar(20) COLLATE "C" NOT NULL CONSTRAINT orders_code_uq UNIQUE,
  amount int NOT NULL DEFAULT 5 CONSTRAINT amount_positive CHECK (amount > 0),
  placed timestamptz NOT NULL DEFAULT clock_timestamp(),
  note text);
CREATE INDEX orders_amount_idx ON orders USING btree (amount DESC, note) INCLUDE (placed) WITH (fillfactor = 80) WHERE amount > 10;
CREATE INDEX orders_twice ON orders ((amount * 2), lower(note));
COMMENT ON INDEX orders_twice IS 'twice';
ALTER INDEX orders_twice ALTER COLUMN 1 SET STATISTICS 500;
CREATE INDEX orders_note_big ON orders (note) WHERE amount > 100;
CREATE INDEX orders_code_pattern ON orders (code varchar_pattern_ops);
ALTER TABLE orders CLUSTER ON orders_code_uq;
ALTER TABLE orders REPLICA IDENTITY USING INDEX orders_code_uq;
CREATE STATISTICS orders_stx (ndistinct, dependencies) ON amount, note FROM orders;
COMMENT ON COLUMN orders.amount IS 'in whole units';
COMMENT ON CONSTRAINT amount_positive ON orders IS 'nothing is free';
GRANT SELECT (amount), UPDATE (amount) ON orders TO PUBLIC;
ALTER TABLE orders ALTER amount SET STATISTICS 300, ALTER amount SET (n_distinct = -0.5), ALTER code SET STORAGE EXTERNAL;
CREATE TABLE lines (order_id int NOT NULL CONSTRAINT lines_order_fk REFERENCES orders ON UPDATE CASCADE, line int, PRIMARY KEY (order_id, line));
CREATE TABLE labels (order_code varchar(20) CONSTRAINT labels_code_fk REFERENCES orders (code) ON DELETE CASCADE);
CREATE VIEW big_orders WITH (security_barrier) AS SELECT o.id, o.amount, o.code, c.name FROM orders o JOIN customers c ON c.id = o.customer_id WHERE o.amount > 100;
CREATE VIEW very_big AS SELECT * FROM big_orders WHERE amount > 1000;
COMMENT ON VIEW big_orders IS 'big';
GRANT SELECT ON big_orders TO PUBLIC;
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 100) g;
INSERT INTO orders (customer_id, code, amount, note) SELECT 1 + g % 100, 'code' || g, 1 + g % 5000, 'n' || g FROM generate_series(1, 2000) g;
INSERT INTO lines SELECT id, 1 FROM orders;
INSERT INTO labels SELECT code FROM orders WHERE id % 3 = 0;
ANALYZE;
`;
