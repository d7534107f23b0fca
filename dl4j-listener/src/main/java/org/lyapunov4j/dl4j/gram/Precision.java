// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

/**
 * The type in which the entries of a Gram matrix are added up and stored. Products are formed in
 * the type of the parameters.
 */
public enum Precision {
  /** {@link #DOUBLE} where it fits the memory budget, else {@link #FLOAT}. */
  AUTO,
  /** 4 bytes an entry. */
  FLOAT,
  /** 8 bytes an entry. */
  DOUBLE
}
