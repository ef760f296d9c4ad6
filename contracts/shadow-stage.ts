import type { Comparison, ShadowSource, SideAddresses } from './shadow.ts';
import type { StageBase } from './stage-base.ts';

/** Asks both sides the same requests and compares what they answer; nobody is served by the candidate. */
export interface ShadowStage extends StageBase {
  readonly kind: 'shadow';
  readonly sides: SideAddresses;
  readonly source: ShadowSource;
  /** Asking again on the stable side changes nothing there: then requests of any method are asked. */
  readonly harmless: boolean;
  readonly compare: Comparison;
  /** Ask the stable side twice, to know in what it differs from itself. */
  readonly noise: boolean;
  /** The least share of answers that have to agree, 0 to 1. */
  readonly agree: number;
  /** Numbers of compared answers at which it is judged, rising; after the last one a person is called. */
  readonly looks: readonly number[];
  /** Requests a second, at the most. */
  readonly perSecond: number;
  /** How long an answer may take, ms. */
  readonly timeoutMs: number;
  /** How long one activity asks before it hands back, ms. */
  readonly sliceMs: number;
  /** After so long without an answer of the stable side a person is called, ms. */
  readonly blindForMs: number;
  /** What too little agreement leads to: all is taken back, or it stays and a person is called. */
  readonly onFail: 'rollback' | 'hold';
}
