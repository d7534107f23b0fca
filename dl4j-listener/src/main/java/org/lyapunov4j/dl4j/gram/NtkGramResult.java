// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.List;
import org.lyapunov4j.gram.GramMatrix;

/**
 * A Gram matrix with what was assumed when it was computed.
 *
 * @param gram m × m, m = N·K, in example-major order: row i·K + k is output k of example i
 * @param assumptions one sentence each, for example that dropout was off; empty if the model was
 *     taken as it is
 */
public record NtkGramResult(GramMatrix gram, List<String> assumptions) {
  /** {@inheritDoc} */
  public NtkGramResult {
    assumptions = List.copyOf(assumptions);
  }
}
