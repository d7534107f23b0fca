// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.samples.train;

/** Someone who follows the steps of a run, in the training thread. */
@FunctionalInterface
public interface StepObserver {
  /**
   * After a step.
   *
   * @param iteration counted from 0
   * @param loss that of the mini-batch, before the step
   */
  void stepped(int iteration, double loss);
}
