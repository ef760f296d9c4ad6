import { Type } from 'typebox';
import { BlueGreenSpecSchema } from './blue-green-spec.ts';
import { CanarySpecSchema, FlagCanarySpecSchema } from './canary-spec.ts';
import { JointSpecSchema } from './joint-spec.ts';
import { ModelSpecSchema } from './model-spec.ts';
import { RecreateSpecSchema } from './recreate-spec.ts';
import { RollingSpecSchema } from './rolling-spec.ts';
import { ShadowSpecSchema } from './shadow-spec.ts';
import { TableSpecSchema } from './table-spec.ts';

/**
 * The spec for people, editors and clients. What is true of a spec beyond its shape is checked by
 * `decisions/check-spec.ts`, which is what the routes use: it names all mistakes at once. Nothing is refused here that
 * is taken there.
 */
export const SpecSchema = Type.Union(
  [
    TableSpecSchema,
    RollingSpecSchema,
    CanarySpecSchema,
    FlagCanarySpecSchema,
    BlueGreenSpecSchema,
    RecreateSpecSchema,
    ShadowSpecSchema,
    JointSpecSchema,
    ModelSpecSchema,
  ],
  { description: 'What a caller wishes' },
);
