// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import java.util.OptionalDouble;

/**
 * What was measured of a Gram matrix beside its entries, and what was assumed.
 *
 * @param asymmetry the largest |G_ij − G_ji| among the examples that were checked, over the largest
 *     diagonal entry: only the lower half is computed, here the upper one too, in products of other
 *     shapes. NaN if none was checked
 * @param spotRows rows (i, k) of the Jacobian that were also computed by Deeplearning4j's own
 *     backward pass, with one example and one output at a time; 0 if none
 * @param spotDeviation the largest difference between ⟨J_a, J_b⟩ and G_ab among these rows, over
 *     the largest of their diagonal entries; NaN without rows
 * @param smallestEigenvalue κ_min, if {@link NtkGram.Builder#eigenvalues} asked for it
 * @param rounding ε·m·κ_max with the ε of the type of the products, if asked for: κ_min below it is
 *     no different from 0
 * @param assumptions one sentence each, for example that dropout was off; empty if the model was
 *     taken as it is
 */
public record GramCheck(
    double asymmetry,
    int spotRows,
    double spotDeviation,
    OptionalDouble smallestEigenvalue,
    OptionalDouble rounding,
    List<String> assumptions) {
  /** {@inheritDoc} */
  public GramCheck {
    assumptions = List.copyOf(assumptions);
  }
}
