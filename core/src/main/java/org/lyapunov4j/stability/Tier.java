// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

/** What is asked of a Gram matrix and a step, at rising prices. */
public enum Tier {
  /**
   * Is the step surely below the edge? Sharpness, μ, λ, and for steps with a closed form
   * mean-square stability with the certificate: η/η_ms, above which the edge ratio cannot be,
   * without sampling. The eigenvectors that it needs, which λ starts from too, cost about as much
   * as all else: O(m³).
   */
  ECONOMY,
  /**
   * How far is it from the edge, and when does it get there? Also the critical learning rate and
   * the diagnosis.
   */
  STANDARD,
  /** What would help? Also the critical batch size and the sum of exponents. */
  FULL
}
