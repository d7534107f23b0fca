// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.spark;

import java.io.Serializable;
import java.util.List;
import java.util.function.BooleanSupplier;

/** What one Spark job of one task computes. A function of its fields, so that it may run again. */
interface Work extends Serializable {
  /** What it answers, in words that are file names. */
  List<String> names();

  /**
   * Computes, on an executor.
   *
   * @param cancelled whether the job was cancelled; for any thread
   * @return one JSON object for each name
   * @throws java.util.concurrent.CancellationException if it was cancelled
   * @throws Exception for whatever is wrong with what it was given
   */
  List<String> compute(BooleanSupplier cancelled) throws Exception;
}
