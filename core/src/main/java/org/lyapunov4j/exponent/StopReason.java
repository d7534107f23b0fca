// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/** Why an estimate ended. */
public enum StopReason {
  /** The interval is as narrow as was asked for. */
  PRECISION_REACHED,
  /** The budget of epochs was used up. */
  EPOCH_BUDGET,
  /** The budget of time was used up; the result depends on the machine's speed. */
  TIME_BUDGET
}
