// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

import java.io.IOException;
import org.lyapunov4j.samples.run.CheckpointRecord;
import org.lyapunov4j.samples.run.EndRecord;
import org.lyapunov4j.samples.run.RunRecord;

/** Someone who follows a run. All calls come from the training thread, in order. */
interface RunObserver {
  default void started(RunRecord run) throws IOException {}

  /** After a step; {@code loss} is that of the mini-batch before it. */
  default void stepped(int iteration, double loss) {}

  default void checkpoint(CheckpointRecord checkpoint) throws IOException {}

  default void ended(EndRecord end) throws IOException {}
}
