// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.exponent;

import org.lyapunov4j.gram.GramMatrix;
import org.lyapunov4j.gram.Vectors;
import org.lyapunov4j.step.RandomStream;
import org.lyapunov4j.step.SgdStep;

/** A Jacobian A(t) = (A₀ + sin(ωt) A₁) diag(scale) that turns as training might turn it. */
final class MovingJacobian {
  private final double[][] first;
  private final double[][] second;
  private final double frequency;
  private final int outputs;
  private final double[] weights;

  MovingJacobian(
      int rows,
      int outputs,
      int parameters,
      double decay,
      double turn,
      double frequency,
      long seed) {
    RandomStream random = new RandomStream(seed);
    first = new double[rows][parameters];
    second = new double[rows][parameters];
    for (int i = 0; i < rows; i++) {
      for (int p = 0; p < parameters; p++) {
        double scale = Math.pow(p + 1, -decay);
        first[i][p] = scale * random.nextGaussian();
        second[i][p] = turn * scale * random.nextGaussian();
      }
    }
    this.frequency = frequency;
    this.outputs = outputs;
    weights = null;
  }

  double[][] at(double t) {
    double[][] a = new double[first.length][];
    for (int i = 0; i < a.length; i++) {
      a[i] = first[i].clone();
      for (int p = 0; p < a[i].length; p++) {
        a[i][p] += Math.sin(frequency * t) * second[i][p];
      }
    }
    return a;
  }

  TrajectoryExponent.Frame frame(double t, SgdStep step) {
    return frame(at(t), outputs, step, weights);
  }

  static TrajectoryExponent.Frame frame(double[][] a, int outputs, SgdStep step, double[] weights) {
    double[][] gram = new double[a.length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a.length; j++) {
        for (int p = 0; p < a[i].length; p++) {
          gram[i][j] += a[i][p] * a[j][p] * (weights == null ? 1 : weights[p]);
        }
      }
    }
    TangentMap map =
        new TangentMap() {
          @Override
          public double[] outputs(double[] direction) {
            double[] image = new double[a.length];
            for (int i = 0; i < a.length; i++) {
              image[i] = Vectors.dot(a[i], direction);
            }
            return image;
          }

          @Override
          public double[] gradient(double[] c) {
            double[] sum = new double[a[0].length];
            for (int i = 0; i < a.length; i++) {
              for (int p = 0; p < sum.length; p++) {
                sum[p] += c[i] * a[i][p];
              }
            }
            return sum;
          }

          @Override
          public double[] weights() {
            return weights;
          }
        };
    return new TrajectoryExponent.Frame(
        GramMatrix.of(gram, a.length / outputs, outputs), step, map);
  }
}
