/** Jest's last lines are its counts; below them stand what they are about, and what they are not about. */
export default class ClosingLines {
  /**
   * @param {unknown} _globalConfig
   * @param {{ ran: string, notRun: string }} lines
   */
  constructor(_globalConfig, { ran, notRun }) {
    this.lines = [`Run here:     ${ran}`, `Not run here: ${notRun}`];
  }

  onRunComplete() {
    // Jest writes its counts after every reporter has been asked, and to this stream.
    process.once('exit', () => process.stderr.write(`\n${this.lines.join('\n')}\n`));
  }
}
