// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.record;

import java.io.IOException;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.SgdStep;

/** A step as files beside the record keep it. */
record StoredStep(
    double learningRate,
    int batchSize,
    String sampling,
    String momentum,
    double coefficient,
    double l2,
    double weightDecay,
    boolean decaysInPart,
    Double fastestL2) {
  static StoredStep of(SgdStep step) {
    return new StoredStep(
        step.learningRate(),
        step.batchSize(),
        step.sampling().name(),
        step.momentum().getClass().getSimpleName(),
        step.momentum().coefficient(),
        step.l2(),
        step.weightDecay(),
        step.decaysInPart(),
        step.fastestL2());
  }

  /**
   * The step.
   *
   * @throws IOException if its momentum is of a later version
   * @throws IllegalArgumentException if it is none
   */
  SgdStep step() throws IOException {
    return new SgdStep(
        learningRate,
        batchSize,
        MiniBatchSampling.valueOf(sampling),
        momentumOf(momentum, coefficient),
        l2,
        weightDecay,
        decaysInPart,
        fastestL2 == null ? l2 : fastestL2);
  }

  private static Momentum momentumOf(String name, double coefficient) throws IOException {
    return switch (name) {
      case "None" -> Momentum.NONE;
      case "HeavyBall" -> new Momentum.HeavyBall(coefficient);
      case "Nesterov" -> new Momentum.Nesterov(coefficient);
      case "MovingAverage" -> new Momentum.MovingAverage(coefficient);
      case "NesterovAverage" -> new Momentum.NesterovAverage(coefficient);
      default -> throw new IOException("it has a momentum of a later version, " + name);
    };
  }
}
