// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.step;

/**
 * The model trains in a way whose step this library does not linearise. The message names the
 * setting, says why, and what to do instead.
 */
public final class UnsupportedTrainingException extends UnsupportedOperationException {
  private static final long serialVersionUID = 1L;

  /** Setting and reason. */
  private final String reason;

  /** What to do instead. */
  private final String remedy;

  UnsupportedTrainingException(String setting, String reason, String remedy) {
    super(setting + " is not supported: " + reason + "; " + remedy);
    this.reason = setting + ": " + reason;
    this.remedy = remedy;
  }

  /**
   * What can still be said of the training.
   *
   * @return what is observed, with this refusal as the reason
   */
  public Level.Observed level() {
    return new Level.Observed(reason, remedy);
  }
}
