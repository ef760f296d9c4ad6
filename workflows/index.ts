/** Every workflow type of the service. A strategy has its own name, so that Temporal's list filters by it; they share the loop. */
export {
  deployment as expandContract,
  deployment as rolling,
  deployment as canary,
  deployment as blueGreen,
  deployment as recreate,
  deployment as release,
  deployment as shadow,
  deployment as modelCanary,
} from './deployment.ts';
export { inspect } from './inspect.ts';
