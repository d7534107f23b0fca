// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.util.Objects;
import java.util.Optional;

/**
 * What a run needs to go on in another process, beside the model.
 *
 * @param run the name of the run; absent of a new one
 * @param tangent the carried tangent vector; absent if there is none
 * @param edge the critical learning rate; absent if none was found
 */
public record SavedState(
    Optional<String> run, Optional<TangentState> tangent, Optional<EdgeState> edge) {
  /** Nothing. */
  public static final SavedState NONE =
      new SavedState(Optional.empty(), Optional.empty(), Optional.empty());

  /** {@inheritDoc} */
  public SavedState {
    Objects.requireNonNull(run, "run");
    Objects.requireNonNull(tangent, "tangent");
    Objects.requireNonNull(edge, "edge");
  }
}
