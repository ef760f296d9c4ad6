/** A failure whose message is the one line that the person at the terminal needs; anything else is a defect of ours. */
export class ToolFailure extends Error {
  override readonly name = 'ToolFailure';
}
