// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.stability;

import java.util.function.BiConsumer;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.LUDecomposition;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/**
 * The second moment of a step by enumerating every batch, for G = F Fᵀ with a given m × p factor F:
 * in parameter space the step is the symmetric A_S = d·I − (η/B) Σ_{i∈S} F_iᵀF_i, and the second
 * moment operator is the p² × p² matrix E[A_S ⊗ A_S]. No eigendecomposition of G, no formula for c₁
 * and c₂.
 */
final class SecondMomentOracle {
  private final RealMatrix factor;
  private final int examples;
  private final int outputs;

  SecondMomentOracle(double[][] factor, int examples, int outputs) {
    this.factor = new Array2DRowRealMatrix(factor);
    this.examples = examples;
    this.outputs = outputs;
  }

  /** A Gaussian m × p factor whose example i is scaled by spread^i. */
  static SecondMomentOracle random(int examples, int outputs, int p, double spread, long seed) {
    RandomStream random = new RandomStream(seed);
    double[][] f = new double[examples * outputs][p];
    for (int row = 0; row < f.length; row++) {
      int example = row / outputs;
      double scale = Math.pow(spread, example) / Math.sqrt(p);
      for (int k = 0; k < p; k++) {
        f[row][k] = scale * random.nextGaussian();
      }
    }
    return new SecondMomentOracle(f, examples, outputs);
  }

  GramMatrix gram() {
    double[][] g = factor.multiplyTransposed(factor).getData();
    for (int i = 0; i < g.length; i++) {
      for (int j = 0; j < i; j++) {
        g[j][i] = g[i][j];
      }
    }
    return GramMatrix.of(g, examples, outputs);
  }

  /** Λ(2). */
  double exponent(SgdStep step) {
    return Math.log(largest(secondMoment(step)));
  }

  /** The index, by inverting the mean part of the operator and keeping the noise part. */
  double index(SgdStep step) {
    RealMatrix mean = MatrixUtils.createRealMatrix(dimension(), dimension());
    RealMatrix noise = noiseMap();
    double d = 1 - step.learningRate() * (step.l2() + step.weightDecay());
    RealMatrix curvature = factor.transposeMultiply(factor);
    RealMatrix identity = MatrixUtils.createRealIdentityMatrix(curvature.getRowDimension());
    double[] c = coefficients(step);
    double slope = d * step.learningRate() / examples;
    mean = mean.add(kronecker(identity, identity).scalarMultiply(d * d));
    mean = mean.subtract(kronecker(curvature, identity).scalarMultiply(slope));
    mean = mean.subtract(kronecker(identity, curvature).scalarMultiply(slope));
    mean = mean.add(kronecker(curvature, curvature).scalarMultiply(c[0]));
    RealMatrix answer =
        new LUDecomposition(kronecker(identity, identity).subtract(mean)).getSolver().getInverse();
    return largest(noise.multiply(answer).multiplyTransposed(noise).scalarMultiply(c[1]));
  }

  /** The coefficients of GXG and bd(GXG), by counting over all batches. */
  private double[] coefficients(SgdStep step) {
    double[] moments = new double[2];
    forEachBatch(
        step,
        (counts, probability) -> {
          if (examples > 1) {
            moments[0] += probability * counts[0] * counts[1];
          }
          moments[1] += probability * counts[0] * counts[0];
        });
    double scale = Math.pow(step.learningRate() / step.batchSize(), 2);
    double pair = examples > 1 ? moments[0] : moments[1];
    return new double[] {scale * pair, scale * (moments[1] - pair)};
  }

  /** D ↦ F_iᵀ D_i F_i summed over examples, transposed: N·K² × p². */
  private RealMatrix noiseMap() {
    int p = factor.getColumnDimension();
    double[][] rows = new double[examples * outputs * outputs][p * p];
    for (int i = 0; i < examples; i++) {
      for (int a = 0; a < outputs; a++) {
        for (int b = 0; b < outputs; b++) {
          for (int k = 0; k < p * p; k++) {
            rows[(i * outputs + a) * outputs + b][k] =
                factor.getEntry(i * outputs + a, k / p) * factor.getEntry(i * outputs + b, k % p);
          }
        }
      }
    }
    return new Array2DRowRealMatrix(rows);
  }

  private RealMatrix secondMoment(SgdStep step) {
    RealMatrix[] sum = {MatrixUtils.createRealMatrix(dimension(), dimension())};
    forEachBatch(
        step,
        (counts, probability) -> {
          RealMatrix a = step(step, counts);
          sum[0] = sum[0].add(kronecker(a, a).scalarMultiply(probability));
        });
    return sum[0];
  }

  private RealMatrix step(SgdStep step, int[] counts) {
    int p = factor.getColumnDimension();
    double d = 1 - step.learningRate() * (step.l2() + step.weightDecay());
    RealMatrix a = MatrixUtils.createRealIdentityMatrix(p).scalarMultiply(d);
    for (int i = 0; i < examples; i++) {
      RealMatrix f = factor.getSubMatrix(i * outputs, (i + 1) * outputs - 1, 0, p - 1);
      a =
          a.subtract(
              f.transposeMultiply(f)
                  .scalarMultiply(step.learningRate() / step.batchSize() * counts[i]));
    }
    return a;
  }

  private int dimension() {
    return factor.getColumnDimension() * factor.getColumnDimension();
  }

  /** Calls with how often each example is drawn, for every equally likely sequence of B draws. */
  private void forEachBatch(SgdStep step, BiConsumer<int[], Double> action) {
    boolean replacement = step.sampling() == MiniBatchSampling.IID_WITH_REPLACEMENT;
    int b = step.batchSize();
    int sequences = (int) Math.pow(examples, b);
    int valid = 0;
    for (int s = 0; s < sequences; s++) {
      valid += isValid(counts(s, b), replacement) ? 1 : 0;
    }
    for (int s = 0; s < sequences; s++) {
      int[] counts = counts(s, b);
      if (isValid(counts, replacement)) {
        action.accept(counts, 1.0 / valid);
      }
    }
  }

  private int[] counts(int sequence, int batchSize) {
    int[] counts = new int[examples];
    int rest = sequence;
    for (int draw = 0; draw < batchSize; draw++) {
      counts[rest % examples]++;
      rest /= examples;
    }
    return counts;
  }

  private static boolean isValid(int[] counts, boolean replacement) {
    for (int count : counts) {
      if (count > 1 && !replacement) {
        return false;
      }
    }
    return true;
  }

  private static RealMatrix kronecker(RealMatrix a, RealMatrix b) {
    int p = a.getRowDimension();
    double[][] product = new double[p * p][p * p];
    for (int i = 0; i < p * p; i++) {
      for (int j = 0; j < p * p; j++) {
        product[i][j] = a.getEntry(i / p, j / p) * b.getEntry(i % p, j % p);
      }
    }
    return new Array2DRowRealMatrix(product);
  }

  private static double largest(RealMatrix matrix) {
    RealMatrix symmetric = matrix.add(matrix.transpose()).scalarMultiply(0.5);
    double[] eigenvalues = new EigenDecompositionSymmetric(symmetric).getEigenvalues();
    return Math.max(eigenvalues[0], -eigenvalues[eigenvalues.length - 1]);
  }
}
