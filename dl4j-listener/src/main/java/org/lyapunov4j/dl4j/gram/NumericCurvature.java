// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;
import org.hipparchus.linear.EigenDecompositionSymmetric;
import org.hipparchus.linear.MatrixUtils;
import org.hipparchus.linear.RealMatrix;

/**
 * The curvature of any smooth loss by differences of Deeplearning4j's own derivative: H[:,k] =
 * (8(∇(z + he_k) − ∇(z − he_k)) − (∇(z + 2he_k) − ∇(z − 2he_k)))/12h, h = 1e-3 max(1, |z|), right
 * to about 1e-10; twenty times that step, and 1e-5, where the derivative is a float. z is the
 * pre-activation. R is made of the eigenvectors of H with eigenvalues above 0; what is below is
 * dropped, and its share told.
 *
 * <p>Refused are: an asymmetric H, for then the derivative is that of no function; another step
 * with another H, for then there is a kink; H = 0 beside a slope, for then all is kinks; rows whose
 * derivative depends on other rows.
 *
 * @param derivative of the loss
 */
record NumericCurvature(LossDerivative derivative) implements Curvature {
  private static final double STEP = 1e-3;
  private static final double TOLERANCE = 1e-5;
  private static final double BEND = 0.05;
  private static final double LONG_STEP = 2e-2;
  private static final double LOOSE_TOLERANCE = 1e-3;
  private static final double NEGATIVE = 1e-8;

  @Override
  public boolean overLogits() {
    return true;
  }

  @Override
  public boolean labelsFitOutputs() {
    return false;
  }

  @Override
  public Rows at(double[][] f, double[][] y, double[] w) {
    double[][] slopes = slopes(f, y);
    requireSeparateRows(f, y);
    double[][][] hessians = hessians(f, y);
    requireCurved(hessians, slopes);
    requireNoKinkAt(f, y, slopes, hessians);
    return new Decomposed(hessians, slopes, row -> loss(f, y, row));
  }

  /** All of a grid's loss is that of its first cell. */
  private double loss(double[][] f, double[][] y, int row) {
    return derivative.takesSingleRows()
        ? derivative.loss(new double[][] {f[row].clone()}, new double[][] {y[row].clone()})
        : row == 0 ? derivative.loss(copy(f), copy(y)) : 0;
  }

  private double[][] slopes(double[][] f, double[][] y) {
    try {
      return derivative.gradient(copy(f), copy(y));
    } catch (RuntimeException e) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "labels must fit the loss %s, got rows of %d values for outputs of %d"
                  + " (Deeplearning4j says: %s)",
              derivative.name(),
              y[0].length,
              f[0].length,
              e.getMessage()),
          e);
    }
  }

  private static double[][] copy(double[][] rows) {
    return Arrays.stream(rows).map(double[]::clone).toArray(double[][]::new);
  }

  /** By a short step, or where the derivative is computed in float only by a longer one. */
  private double[][][] hessians(double[][] f, double[][] y) {
    double[][][] hessians = hessians(f, y, STEP);
    double tolerance = TOLERANCE;
    if (!agree(hessians, hessians(f, y, STEP / 4), tolerance)) {
      hessians = hessians(f, y, LONG_STEP);
      tolerance = LOOSE_TOLERANCE;
      if (!agree(hessians, hessians(f, y, 1.5 * LONG_STEP), tolerance)) {
        throw refusal(
            "differences of its gradient by two steps disagree: it has a kink near an output",
            "use a loss with a second derivative");
      }
    }
    requireSymmetric(hessians, tolerance);
    return hessians;
  }

  private double[][][] hessians(double[][] f, double[][] y, double step) {
    int width = f[0].length;
    double[][][] hessians = new double[f.length][width][width];
    for (int k = 0; k < width; k++) {
      double[][] up = moved(f, y, k, step);
      double[][] down = moved(f, y, k, -step);
      double[][] far = moved(f, y, k, 2 * step);
      double[][] back = moved(f, y, k, -2 * step);
      for (int r = 0; r < f.length; r++) {
        double h = step * Math.max(1, Math.abs(f[r][k]));
        for (int l = 0; l < width; l++) {
          hessians[r][l][k] = (8 * (up[r][l] - down[r][l]) - (far[r][l] - back[r][l])) / (12 * h);
        }
      }
    }
    return hessians;
  }

  private double[][] moved(double[][] f, double[][] y, int k, double step) {
    double[][] z = copy(f);
    for (double[] row : z) {
      row[k] += step * Math.max(1, Math.abs(row[k]));
    }
    return derivative.gradient(z, copy(y));
  }

  /** A kink at the very output shows by other differences up than down, whatever the step. */
  private void requireNoKinkAt(
      double[][] f, double[][] y, double[][] slopes, double[][][] hessians) {
    double most = largest(hessians);
    for (int k = 0; k < f[0].length; k++) {
      double[][] up = moved(f, y, k, STEP);
      double[][] down = moved(f, y, k, -STEP);
      for (int r = 0; r < f.length; r++) {
        double h = STEP * Math.max(1, Math.abs(f[r][k]));
        for (int l = 0; l < slopes[r].length; l++) {
          double bend = Math.abs(up[r][l] + down[r][l] - 2 * slopes[r][l]);
          if (!(bend <= BEND * h * most)) {
            throw refusal(
                "differences of its gradient by two steps disagree: it has a kink at an output",
                "use a loss with a second derivative");
          }
        }
      }
    }
  }

  private void requireSeparateRows(double[][] f, double[][] y) {
    if (!derivative.takesSingleRows() || f.length == 1) {
      return;
    }
    double[][] apart = copy(f);
    for (int r = 0; r < apart.length; r++) {
      apart[r][0] += 0.1 * (r % 3); // where rows are alike, other rows may not show
    }
    double[][] slopes = slopes(apart, y);
    double[][] alone = slopes(new double[][] {apart[0]}, new double[][] {y[0]});
    double scale = largest(slopes);
    for (int k = 0; k < alone[0].length; k++) {
      if (!(Math.abs(alone[0][k] - slopes[0][k]) <= LOOSE_TOLERANCE * scale)) {
        throw refusal("it is not a sum over examples", "use a loss of each example alone");
      }
    }
  }

  private static boolean agree(double[][][] hessians, double[][][] others, double tolerance) {
    double most = largest(hessians);
    for (int r = 0; r < hessians.length; r++) {
      for (int k = 0; k < hessians[r].length; k++) {
        for (int l = 0; l < hessians[r].length; l++) {
          double gap = Math.abs(hessians[r][k][l] - others[r][k][l]);
          if (!(gap <= tolerance * Math.max(most, tolerance))) {
            return false;
          }
        }
      }
    }
    return true;
  }

  private void requireSymmetric(double[][][] hessians, double tolerance) {
    for (double[][] hessian : hessians) {
      double scale = largest(hessian);
      for (int k = 0; k < hessian.length; k++) {
        for (int l = 0; l < k; l++) {
          if (!(Math.abs(hessian[k][l] - hessian[l][k]) <= tolerance * scale)) {
            throw refusal(
                "its gradient is that of no function: the derivatives ∂²ℓ/∂z_k∂z_l differ with"
                    + " their order",
                "let computeGradient be the derivative of one loss");
          }
        }
      }
    }
  }

  private void requireCurved(double[][][] hessians, double[][] slopes) {
    double most = largest(hessians);
    if (most <= NEGATIVE * largest(slopes)) {
      throw refusal(
          "its second derivative is 0 wherever it exists, and steps do not shrink near a minimum",
          "use MSE or L2");
    }
  }

  private UnsupportedModelException refusal(String reason, String remedy) {
    return UnsupportedModelException.of(
        "no curvature of the loss " + derivative.name() + ": " + reason, remedy);
  }

  private static double largest(double[][][] matrices) {
    return Arrays.stream(matrices).mapToDouble(NumericCurvature::largest).max().orElse(0);
  }

  private static double largest(double[][] matrix) {
    double largest = 0;
    for (double[] row : matrix) {
      for (double value : row) {
        largest = Math.max(largest, Math.abs(value));
      }
    }
    return largest;
  }

  /** The loss at all rows, each with the eigenvalues and eigenvectors of its Hessian. */
  private static final class Decomposed implements Rows {
    private final double[][] values;
    private final RealMatrix[] vectors;
    private final double[][] slopes;
    private final IntToDoubleFunction loss;
    private double most;

    Decomposed(double[][][] hessians, double[][] slopes, IntToDoubleFunction loss) {
      this.slopes = slopes;
      this.loss = loss;
      values = new double[hessians.length][];
      vectors = new RealMatrix[hessians.length];
      for (int r = 0; r < hessians.length; r++) {
        double unit = Math.max(largest(hessians[r]), Double.MIN_NORMAL);
        EigenDecompositionSymmetric eigen =
            new EigenDecompositionSymmetric(symmetric(hessians[r]).scalarMultiply(1 / unit));
        values[r] = eigen.getEigenvalues();
        for (int k = 0; k < values[r].length; k++) {
          values[r][k] *= unit;
          most = Math.max(most, values[r][k]);
        }
        vectors[r] = eigen.getV();
      }
    }

    private static RealMatrix symmetric(double[][] hessian) {
      RealMatrix matrix = MatrixUtils.createRealMatrix(hessian);
      return matrix.add(matrix.transpose()).scalarMultiply(0.5);
    }

    private boolean counts(int row, int k) {
      return values[row][k] > NEGATIVE * most;
    }

    @Override
    public void factor(int row, double[][] r) {
      for (int k = 0; k < values[row].length; k++) {
        for (int l = 0; counts(row, k) && l < r.length; l++) {
          r[l][k] = vectors[row].getEntry(l, k) * Math.sqrt(values[row][k]);
        }
      }
    }

    @Override
    public void residual(int row, double[] e, double[] losses) {
      for (int k = 0; k < e.length; k++) {
        double along = 0;
        for (int l = 0; l < e.length; l++) {
          along += vectors[row].getEntry(l, k) * slopes[row][l];
        }
        e[k] = counts(row, k) ? along / Math.sqrt(values[row][k]) : 0;
      }
      losses[0] = loss.applyAsDouble(row);
    }

    @Override
    public double droppedShare() {
      double least = 0;
      for (double[] row : values) {
        for (double value : row) {
          least = Math.min(least, value);
        }
      }
      return -least <= NEGATIVE * most ? 0 : -least / most;
    }
  }
}
