// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.Arrays;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.SgdStep;

/**
 * Two martingale increments that are correlated with the growth of a step but have conditional mean
 * zero given the state:
 *
 * <pre>
 *   c₁ = (Σ_S |r_i|² − p |r|²) / wᵀGw          p = B/N
 *   c₂ = (Σ_S r_iᵀ G_ii r_i − p Σ_i r_iᵀ G_ii r_i) / wᵀGw
 * </pre>
 *
 * <p>They hold for any uniform draw of S, so for the i.i.d. schemes only. Each costs one pass over
 * r, hence they are used from B = 8 on, where that is small beside the step.
 */
final class ControlVariates {
  static final int COUNT = 2;
  private static final int SMALLEST_BATCH = 8;

  private final int outputs;
  private final double share;
  private final boolean enabled;
  private final double[] squares;
  private final double[] curvatures;
  private final double[][] blocks;
  private final double[] current = new double[COUNT];
  private double[][] sums = new double[64][];

  ControlVariates(GramMatrix gram, SgdStep step, boolean wanted) {
    outputs = gram.outputs();
    share = (double) step.batchSize() / gram.examples();
    enabled =
        wanted
            && step.sampling().isIndependent()
            && step.isPlain()
            && step.batchSize() >= SMALLEST_BATCH
            && !step.isFullBatch(gram.examples());
    int kept = enabled ? gram.examples() : 0;
    squares = new double[kept];
    curvatures = new double[kept];
    blocks = new double[kept][];
    for (int i = 0; i < kept; i++) {
      blocks[i] = block(gram, i);
    }
  }

  boolean enabled() {
    return enabled;
  }

  /** Adds the increments of the step that is about to be taken with this batch. */
  void observe(ResidualCocycle cocycle, int[] batch, int size) {
    double[] r = cocycle.residual();
    double energy = cocycle.energy();
    if (!(energy > 0)) {
      return;
    }
    double allSquares = 0;
    double allCurvatures = 0;
    for (int i = 0; i < squares.length; i++) {
      measure(r, i);
      allSquares += squares[i];
      allCurvatures += curvatures[i];
    }
    double drawnSquares = 0;
    double drawnCurvatures = 0;
    for (int b = 0; b < size; b++) {
      drawnSquares += squares[batch[b]];
      drawnCurvatures += curvatures[batch[b]];
    }
    current[0] += (drawnSquares - share * allSquares) / energy;
    current[1] += (drawnCurvatures - share * allCurvatures) / energy;
  }

  void endEpoch(int epoch) {
    if (enabled) {
      if (epoch == sums.length) {
        sums = Arrays.copyOf(sums, 2 * epoch);
      }
      sums[epoch] = current.clone();
      Arrays.fill(current, 0);
    }
  }

  /** Mean over epochs from … to − 1 of one of the increments. */
  double mean(int which, int from, int to) {
    double sum = 0;
    for (int i = from; i < to; i++) {
      sum += sums[i][which];
    }
    return sum / (to - from);
  }

  private void measure(double[] r, int example) {
    int first = example * outputs;
    double[] block = blocks[example];
    double square = 0;
    double curvature = 0;
    for (int k = 0; k < outputs; k++) {
      double inner = 0;
      for (int l = 0; l < outputs; l++) {
        inner += block[k * outputs + l] * r[first + l];
      }
      square += r[first + k] * r[first + k];
      curvature += r[first + k] * inner;
    }
    squares[example] = square;
    curvatures[example] = curvature;
  }

  private static double[] block(GramMatrix gram, int example) {
    int outputs = gram.outputs();
    double[] block = new double[outputs * outputs];
    for (int k = 0; k < outputs; k++) {
      for (int l = 0; l < outputs; l++) {
        block[k * outputs + l] = gram.get(example * outputs + k, example * outputs + l);
      }
    }
    return block;
  }
}
