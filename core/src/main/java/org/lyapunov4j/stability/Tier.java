// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

/** How much of the panel is worth its price. */
public enum Tier {
  /** Sharpness, μ and λ: O(m²) beside the sampling. */
  ECONOMY,
  /**
   * Also the certificate, mean-square stability, the critical learning rate and the diagnosis:
   * O(m³).
   */
  STANDARD,
  /** Also the critical batch size and the sum of exponents. */
  FULL
}
