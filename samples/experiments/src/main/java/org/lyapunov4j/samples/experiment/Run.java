// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.experiment;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.function.BooleanSupplier;

/** One run of an experiment; runs may be executed in any order, in several threads. */
interface Run {
  /** Unique within the experiment; names the files. */
  String id();

  /** Everything that decides the result, names and values. */
  Map<String, String> settings();

  /**
   * Executes the run.
   *
   * @param record for the listener's record; no such file yet, or one of this run and a state
   * @param state where a long run keeps what it can go on from; the file may be there already
   * @param stop asked often; true to end at once
   * @return what was found; of no use if {@code stop} has said so
   * @throws IOException if data cannot be read
   */
  Measurements execute(Path record, Path state, BooleanSupplier stop) throws IOException;
}
