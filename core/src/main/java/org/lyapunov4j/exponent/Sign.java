// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

/** The decided sign of an exponent. */
public enum Sign {
  /** Below zero at the stated level. */
  NEGATIVE,
  /** Above zero at the stated level. */
  POSITIVE,
  /** Not decided by what was measured. */
  UNDECIDED
}
