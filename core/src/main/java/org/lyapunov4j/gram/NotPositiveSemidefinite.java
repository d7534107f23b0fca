// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Locale;

/** How a matrix that cannot be a Gram matrix is refused. */
final class NotPositiveSemidefinite {
  private NotPositiveSemidefinite() {}

  static IllegalArgumentException of(String what, double lowest, double largest, double noise) {
    return new IllegalArgumentException(
        String.format(
            Locale.ROOT,
            "a Gram matrix must be positive semidefinite, got %s %.6g beside the largest eigenvalue"
                + " %.6g, where rounding explains no more than %.1e; it must be a product F·Fᵀ,"
                + " example by example: transpose a kernel of shape [N, N, K, K] by (0, 2, 1, 3)"
                + " before the reshape to [N·K, N·K], and store what was computed in single"
                + " precision in single precision",
            what,
            lowest,
            largest,
            noise));
  }
}
