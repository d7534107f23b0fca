// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.util.Objects;
import org.lyapunov4j.dl4j.checkpoint.CheckpointDocument;

/**
 * A checkpoint: of type {@code checkpoint} with λ and a verdict, else of type {@code observation}.
 *
 * @param document all that it says
 */
public record CheckpointLine(CheckpointDocument document) implements RecordLine {
  /** {@inheritDoc} */
  public CheckpointLine {
    Objects.requireNonNull(document, "document");
  }
}
