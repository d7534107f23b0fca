// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import java.util.List;
import org.hipparchus.linear.ArrayRealVector;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;
import org.hipparchus.linear.RealVector;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The slow oracle: the step written down as its definition says, on coefficients w with dense
 * matrices; the residual is G w at the end.
 */
final class DenseProduct {
  private DenseProduct() {}

  /** log ‖(G w_n, G v_n)‖ − log ‖(G w_0, 0)‖ after n steps, w_0 = (1, …, 1). */
  static double growth(GramMatrix gram, SgdStep step, long seed, int steps) {
    RealMatrix g = MatrixUtils.createRealMatrix(gram.toArray());
    RealVector w = new ArrayRealVector(ones(gram.size()));
    RealVector v = new ArrayRealVector(gram.size());
    double start = g.operate(w).getNorm();
    MiniBatchSampler sampler = sampler(gram, step, seed);
    int[] batch = new int[step.batchSize()];
    double rate = step.learningRate();
    double beta = step.momentum().coefficient();
    for (int s = 0; s < steps; s++) {
      int size = sampler.next(batch);
      RealVector residual = g.operate(w);
      RealVector gradient = w.mapMultiply(step.l2());
      for (int b = 0; b < size; b++) {
        for (int k = 0; k < gram.outputs(); k++) {
          int row = batch[b] * gram.outputs() + k;
          gradient.addToEntry(row, residual.getEntry(row) / size);
        }
      }
      RealVector decay = w.mapMultiply(rate * step.weightDecay());
      if (step.momentum() instanceof Momentum.HeavyBall) {
        v = v.mapMultiply(beta).subtract(gradient.mapMultiply(rate));
        w = w.add(v).subtract(decay);
      } else if (step.momentum() instanceof Momentum.Nesterov) {
        RealVector next = v.mapMultiply(beta).subtract(gradient.mapMultiply(rate));
        w = w.subtract(v.mapMultiply(beta)).add(next.mapMultiply(1 + beta)).subtract(decay);
        v = next;
      } else if (step.momentum() instanceof Momentum.MovingAverage) {
        v = v.mapMultiply(beta).add(gradient.mapMultiply(1 - beta));
        w = w.subtract(v.mapMultiply(rate)).subtract(decay);
      } else {
        w = w.subtract(gradient.mapMultiply(rate)).subtract(decay);
      }
    }
    return Math.log(Math.hypot(g.operate(w).getNorm(), g.operate(v).getNorm()) / start);
  }

  /** The same by the residual cocycle. */
  static double residualGrowth(GramMatrix gram, SgdStep step, long seed, int steps) {
    ResidualCocycle cocycle = new ResidualCocycle(gram, step);
    cocycle.start(ones(gram.size()));
    MiniBatchSampler sampler = sampler(gram, step, seed);
    int[] batch = new int[step.batchSize()];
    double growth = 0;
    for (int s = 0; s < steps; s++) {
      cocycle.apply(batch, sampler.next(batch));
      if (s % 3 == 0) {
        growth += cocycle.normalise();
      }
    }
    return growth + cocycle.normalise();
  }

  static List<Double> eigenvalues(GramMatrix gram) {
    return Arrays.stream(
            new EigenDecompositionSymmetric(MatrixUtils.createRealMatrix(gram.toArray()))
                .getEigenvalues())
        .boxed()
        .toList();
  }

  private static MiniBatchSampler sampler(GramMatrix gram, SgdStep step, long seed) {
    return new MiniBatchSampler(
        gram.examples(), step.batchSize(), step.sampling(), new RandomStream(seed));
  }

  private static double[] ones(int m) {
    double[] ones = new double[m];
    Arrays.fill(ones, 1);
    return ones;
  }
}
