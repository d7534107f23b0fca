// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What was found of one step on one probe, as much as can honestly be said: everything, with λ and
 * a verdict ({@link StabilityReport}); the edge ratio as a gauge, without λ ({@link EdgeReport});
 * or what is observed, without an edge ({@link ObservedReport}).
 */
public sealed interface Findings permits StabilityReport, EdgeReport, ObservedReport {
  /**
   * The number of examples of the probe.
   *
   * @return N
   */
  int examples();

  /**
   * The number of outputs per example.
   *
   * @return K; 0 if the model has no output with a loss
   */
  int outputs();

  /**
   * The largest curvature.
   *
   * @return κ_max/N; absent if the loss has no curvature or no Gram matrix could be made
   */
  OptionalDouble measuredSharpness();

  /**
   * The critical learning rate.
   *
   * @return η_c with its interval; absent if it is not known
   */
  Optional<CriticalLearningRate> criticalLearningRate();

  /**
   * What a reader must know of how this was computed.
   *
   * @return a sentence each
   */
  List<String> remarks();
}
