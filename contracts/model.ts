import type { Route, RouteFacts } from './route.ts';

/** What is looked at in a registry before a plan is made. */
export interface ModelLooks {
  readonly model: string;
  /** The version that is to come. */
  readonly version: string;
  /** The alias of the version in service, and that of the candidate. */
  readonly stable: string;
  readonly candidate: string;
  readonly route: Route;
}

/** What is read of a registered model: where aliases point, and what versions are. */
export interface ModelQuestion {
  readonly model: string;
  readonly aliases: readonly string[];
  readonly versions: readonly string[];
}

/** What a registry says of a model. Facts only. */
export interface ModelState {
  /** When it was registered, epoch ms; null: there is no such model. */
  readonly createdAt: number | null;
  /** The version by alias; null: there is no such alias. */
  readonly aliases: Readonly<Record<string, string | null>>;
  /** Those that were asked for and are there. */
  readonly versions: readonly VersionFacts[];
}

/** A version of a model. */
export interface VersionFacts {
  readonly version: string;
  /** As the registry says: `READY`, when it can be used. */
  readonly status: string;
  /** Epoch ms. */
  readonly createdAt: number;
  /** What it takes and gives; null: it was logged without a signature, or that can not be read. */
  readonly signature: ModelSignature | null;
}

/** What a model takes and gives. */
export interface ModelSignature {
  readonly inputs: readonly ModelField[];
  readonly outputs: readonly ModelField[];
  readonly params: readonly ModelField[];
}

export interface ModelField {
  /** Null: it has none, it is known by its place. */
  readonly name: string | null;
  /** As the signature says it; of what is more than one word, its JSON. */
  readonly type: string;
  readonly required: boolean;
}

/** What *inspect* saw of a model. Facts only. */
export interface ModelFacts extends ModelState {
  readonly route: RouteFacts;
  /** The deployment that holds it; null: none. */
  readonly holder: string | null;
  /** Names near to the one asked for, when there is no such model. */
  readonly nearby: readonly string[];
}

/** A registered model that a deployment touches and locks, and only as long as it is this very one. */
export interface HeldModel {
  readonly model: string;
  /** When it was registered, epoch ms. */
  readonly createdAt: number;
}

/** What has to stay as it was planned. */
export interface ModelHolds extends HeldModel {
  readonly aliases: readonly { readonly alias: string; readonly version: string | null }[];
  readonly versions: readonly VersionFacts[];
}
