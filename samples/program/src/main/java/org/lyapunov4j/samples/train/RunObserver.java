// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.io.IOException;
import org.lyapunov4j.dl4j.checkpoint.Checkpoint;

/** Someone who follows a run. All calls come from the training thread, in order. */
interface RunObserver extends StepObserver {
  default void started(RunDescription run) {}

  @Override
  default void stepped(int iteration, double loss) {}

  default void checkpoint(Checkpoint checkpoint) {}

  default void ended(RunEnd end) throws IOException {}
}
