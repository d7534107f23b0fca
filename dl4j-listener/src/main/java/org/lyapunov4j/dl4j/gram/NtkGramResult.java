// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.lyapunov4j.gram.GramMatrix;

/**
 * A Gram matrix with what is known about it.
 *
 * @param gram m × m, m = N·K, in example-major order: row i·K + k is output k of example i, where
 *     masks leave outputs out the k-th that is left
 * @param layers the part of each layer or vertex with trained parameters by its name, from the
 *     input to the output; they add up to the Gram matrix. Empty unless asked for
 * @param groups the part of each group of parameters, in the order of their numbers; they add up to
 *     the Gram matrix. Empty unless groups were given
 * @param check what was measured and what was assumed
 * @param fit loss and residuals at the same parameters
 * @param droppedCurvature the most negative eigenvalue of the loss curvature that was replaced by
 *     0, over the largest eigenvalue of the same example, the largest of the examples; 0 if none
 */
public record NtkGramResult(
    GramMatrix gram,
    Map<String, GramMatrix> layers,
    List<GramMatrix> groups,
    GramCheck check,
    ProbeFit fit,
    double droppedCurvature) {
  /** {@inheritDoc} */
  public NtkGramResult {
    layers = Collections.unmodifiableMap(new LinkedHashMap<>(layers));
    groups = List.copyOf(groups);
  }

  /**
   * What was assumed.
   *
   * @return the assumptions of the check
   */
  public List<String> assumptions() {
    return check.assumptions();
  }
}
