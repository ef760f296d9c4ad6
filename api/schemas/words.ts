import { Type, type TNumberOptions, type TProperties, type TSchema, type TStringOptions } from 'typebox';
import { orderNames, phases, roles } from '../../contracts/catalog.ts';

/** An object that takes no other fields than these. */
export const closed = <P extends TProperties>(properties: P, description: string) =>
  Type.Object(properties, { additionalProperties: false, description });

/** An object of an answer: it may grow. */
export const open = <P extends TProperties>(properties: P, description: string) =>
  Type.Object(properties, { description });

/** A schema, or null. */
export const nullable = <S extends TSchema>(schema: S, description: string) =>
  Type.Union([schema, Type.Null({ description: 'Nothing' })], { description });

export const text = (description: string, more: TStringOptions = {}) => Type.String({ description, ...more });
export const whole = (description: string, more: TNumberOptions = {}) => Type.Integer({ description, ...more });
export const moment = (description: string) => Type.Integer({ description: `${description}; epoch milliseconds` });
export const yesNo = (description: string) => Type.Boolean({ description });
export const listOf = <S extends TSchema>(schema: S, description: string) => Type.Array(schema, { description });

export const PhaseName = Type.Enum([...phases], { description: 'The one word people see' });
export const OrderNameSchema = Type.Enum([...orderNames], { description: 'What an operator may order' });
export const RoleName = Type.Enum([...roles], { description: 'viewer may look, operator order, approver approve' });

export const ActorSchema = open(
  {
    name: text('Name of the token, or what was claimed in open mode'),
    role: RoleName,
    groups: listOf(Type.String({ description: 'A group' }), 'Groups that the actor belongs to'),
    via: Type.Enum(['api', 'temporal'], { description: 'temporal: the name is only claimed' }),
  },
  'Who did something',
);
