import type { Plan, TablePlan } from '../../contracts/plan.ts';

/** The plan, when it is of a table: only there is SQL to be had. */
export const ofTable = (plan: Plan): TablePlan | null => (plan.dialect === 'postgres' ? plan : null);
