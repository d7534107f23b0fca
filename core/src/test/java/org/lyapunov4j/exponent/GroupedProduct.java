// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.hipparchus.complex.Complex;
import org.hipparchus.linear.EigenDecompositionNonSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;
import org.hipparchus.linear.SingularValueDecomposition;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.GroupedGram;
import org.lyapunov4j.step.GroupedStep;
import org.lyapunov4j.step.MiniBatchSampler;
import org.lyapunov4j.step.MiniBatchSampling;
import org.lyapunov4j.step.Momentum;
import org.lyapunov4j.step.ParameterGroup;
import org.lyapunov4j.step.RandomStream;

/**
 * The slow oracle of grouped steps: parameters and velocities one by one, as {@link Momentum} says
 * of θ, with dense matrices.
 */
final class GroupedProduct {
  private final double[][] jacobian;
  private final int[] groupOf;
  private final int examples;
  private final int outputs;

  private GroupedProduct(double[][] jacobian, int[] groupOf, int examples, int outputs) {
    this.jacobian = jacobian;
    this.groupOf = groupOf;
    this.examples = examples;
    this.outputs = outputs;
  }

  /** With a Gaussian Jacobian, group h having sizes[h] parameters of the scale scales[h]. */
  static GroupedProduct of(int examples, int outputs, long seed, int[] sizes, double... scales) {
    int parameters = Arrays.stream(sizes).sum();
    double[][] jacobian = TestGrams.gaussian(examples * outputs, parameters, seed);
    int[] groupOf = new int[parameters];
    int p = 0;
    for (int h = 0; h < sizes.length; h++) {
      for (int i = 0; i < sizes[h]; i++) {
        groupOf[p] = h;
        for (double[] row : jacobian) {
          row[p] *= scales[h] / Math.sqrt(parameters);
        }
        p++;
      }
    }
    return new GroupedProduct(jacobian, groupOf, examples, outputs);
  }

  GroupedGram gram() {
    int groups = Arrays.stream(groupOf).max().orElse(0) + 1;
    List<GramMatrix> parts = new ArrayList<>();
    for (int h = 0; h < groups; h++) {
      double[][] masked = new double[jacobian.length][];
      for (int i = 0; i < masked.length; i++) {
        masked[i] = jacobian[i].clone();
        for (int p = 0; p < groupOf.length; p++) {
          masked[i][p] *= groupOf[p] == h ? 1 : 0;
        }
      }
      parts.add(GramMatrix.adopt(TestGrams.product(masked, 1), examples, outputs));
    }
    return GroupedGram.of(parts);
  }

  /** The matrix of one step on (θ, v). */
  RealMatrix matrix(GroupedStep step, int[] batch, int size) {
    int p = groupOf.length;
    RealMatrix matrix = MatrixUtils.createRealMatrix(2 * p, 2 * p);
    for (int j = 0; j < 2 * p; j++) {
      double[] state = new double[2 * p];
      state[j] = 1;
      matrix.setColumn(j, apply(step, batch, size, state));
    }
    return matrix;
  }

  /** One step of the state (θ, v). */
  double[] apply(GroupedStep step, int[] batch, int size, double[] state) {
    int p = groupOf.length;
    double[] gradient = new double[p];
    for (int b = 0; b < size; b++) {
      for (int row = batch[b] * outputs; row < (batch[b] + 1) * outputs; row++) {
        double residual = 0;
        for (int i = 0; i < p; i++) {
          residual += jacobian[row][i] * state[i];
        }
        for (int i = 0; i < p; i++) {
          gradient[i] += jacobian[row][i] * residual / size;
        }
      }
    }
    double[] next = new double[2 * p];
    double rate = step.common().learningRate();
    for (int i = 0; i < p; i++) {
      ParameterGroup group = step.groups().get(groupOf[i]);
      double g = gradient[i] + group.l2() * state[i];
      double v = state[p + i];
      double beta = group.momentum().coefficient();
      double moved = state[i] * (1 - rate * group.weightDecay());
      if (group.momentum() instanceof Momentum.HeavyBall) {
        next[p + i] = beta * v - rate * g;
        next[i] = moved + next[p + i];
      } else if (group.momentum() instanceof Momentum.Nesterov) {
        next[p + i] = beta * v - rate * g;
        next[i] = moved - beta * v + (1 + beta) * next[p + i];
      } else if (group.momentum() instanceof Momentum.MovingAverage) {
        next[p + i] = beta * v + (1 - beta) * g;
        next[i] = moved - rate * next[p + i];
      } else if (group.momentum() instanceof Momentum.NesterovAverage) {
        next[p + i] = beta * v + (1 - beta) * g;
        next[i] = moved + rate * beta * v - rate * (1 + beta) * next[p + i];
      } else {
        next[i] = moved - rate * g;
      }
    }
    return next;
  }

  /** The outputs J θ of a state. */
  double[] outputs(double[] state) {
    return Arrays.stream(jacobian)
        .mapToDouble(
            row -> {
              double sum = 0;
              for (int i = 0; i < row.length; i++) {
                sum += row[i] * state[i];
              }
              return sum;
            })
        .toArray();
  }

  /** The parameters Jᵀw at rest. */
  double[] state(double[] w) {
    double[] state = new double[2 * groupOf.length];
    for (int i = 0; i < w.length; i++) {
      for (int p = 0; p < groupOf.length; p++) {
        state[p] += jacobian[i][p] * w[i];
      }
    }
    return state;
  }

  /**
   * The growth of the outputs over many steps on independent subsets, with its standard error from
   * 20 parts. What has no effect on the outputs and stands still is taken out of the parameters.
   */
  double[] exponent(GroupedStep step, int steps, long seed) {
    int size = step.common().batchSize();
    MiniBatchSampler sampler =
        new MiniBatchSampler(examples, size, MiniBatchSampling.IID_SUBSETS, new RandomStream(seed));
    double[] state = state(new RandomStream(seed + 1).gaussians(jacobian.length));
    int[] batch = new int[size];
    List<RealMatrix> projectors = projectors(step);
    double[] growth = new double[20];
    for (int t = -steps / 10; t < steps; t++) {
      sampler.next(batch);
      state = apply(step, batch, size, state);
      if (t % 10 == 0) {
        project(projectors, GroupedCocycle.classes(step), state);
        double norm = norm(outputs(state));
        if (t > 0) {
          growth[(int) ((long) t * 20 / steps)] += Math.log(norm);
        }
        for (int i = 0; i < state.length; i++) {
          state[i] /= norm;
        }
      }
    }
    double mean = Arrays.stream(growth).sum() / steps;
    double squares =
        Arrays.stream(growth).map(g -> (g * 20 / steps - mean) * (g * 20 / steps - mean)).sum();
    return new double[] {mean, Math.sqrt(squares / 19 / 20)};
  }

  /** J⁺J of the parameters of each class of groups that decay alike. */
  private List<RealMatrix> projectors(GroupedStep step) {
    int[] classOf = GroupedCocycle.classes(step);
    List<RealMatrix> projectors = new ArrayList<>();
    for (int c = 0; c <= Arrays.stream(classOf).max().orElse(0); c++) {
      int[] members = members(classOf, c);
      int[] all = IntStream.range(0, jacobian.length).toArray();
      RealMatrix part = MatrixUtils.createRealMatrix(jacobian).getSubMatrix(all, members);
      projectors.add(new SingularValueDecomposition(part).getSolver().getInverse().multiply(part));
    }
    return projectors;
  }

  private int[] members(int[] classOf, int c) {
    return IntStream.range(0, groupOf.length).filter(p -> classOf[groupOf[p]] == c).toArray();
  }

  private void project(List<RealMatrix> projectors, int[] classOf, double[] state) {
    for (int c = 0; c < projectors.size(); c++) {
      int[] members = members(classOf, c);
      double[] theta = Arrays.stream(members).mapToDouble(p -> state[p]).toArray();
      double[] kept = projectors.get(c).operate(theta);
      for (int i = 0; i < members.length; i++) {
        state[members[i]] = kept[i];
      }
    }
  }

  private static double norm(double[] x) {
    return Math.sqrt(Arrays.stream(x).map(v -> v * v).sum());
  }

  int parameters() {
    return groupOf.length;
  }

  /** The moduli of the full-batch step, descending. */
  List<Double> fullBatchModuli(GroupedStep step) {
    int[] all = new int[examples];
    Arrays.setAll(all, i -> i);
    return Stream.of(
            new EigenDecompositionNonSymmetric(matrix(step, all, examples)).getEigenvalues())
        .map(Complex::norm)
        .sorted((x, y) -> Double.compare(y, x))
        .toList();
  }
}
