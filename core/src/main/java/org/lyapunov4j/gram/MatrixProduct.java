// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.Arrays;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Dense products by ND4J's {@code gemm}, of {@code float} or {@code double} matrices, that are
 * checked and, where they are wrong, formed again in Java.
 *
 * <p>The check multiplies both sides by one random vector x, C x = A (B x) or xᵀC = (xᵀA) B, at the
 * longer side of C: some 2(mk + kn + mn) flops beside 2mkn. It accepts ‖C x − A B x‖ ≤ 8√(k +
 * max(m, n))·u·‖A‖_F‖B‖_F‖x‖, u the unit roundoff: rounding errors of sums add up like the square
 * root of their number. What is not finite is passed on unchecked.
 *
 * <p>Sources: R. Freivalds, IFIP 1977; N. J. Higham, T. Mary, SIAM J. Sci. Comput. 41 (2019), A2815
 * (the square root).
 */
public final class MatrixProduct {
  static final Gemm NATIVE =
      (a, b, c, transposeA, transposeB) -> Nd4j.gemm(a, b, c, transposeA, transposeB, 1, 0);

  private static final double ROUNDINGS = 8;

  private final Gemm gemm;
  private final Consumer<String> warning;
  private long[] lastShape = {};
  private boolean lastRight;

  /** What is not believed. */
  @FunctionalInterface
  interface Gemm {
    /** C ← op(A) op(B). */
    void multiply(INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB);
  }

  private MatrixProduct() {
    this(NATIVE, NativeLibrary::warn);
  }

  MatrixProduct(Gemm gemm, Consumer<String> warning) {
    this.gemm = gemm;
    this.warning = warning;
  }

  /**
   * Products of which only the first of each run of equal shapes is checked: a library chooses its
   * code by the shape. For loops over many small ones, whose check would cost as much as they do.
   *
   * @return an object for one loop of one thread
   */
  public static MatrixProduct series() {
    return new MatrixProduct();
  }

  /**
   * C ← op(A) op(B), checked.
   *
   * @param a A, of type float or double
   * @param b B, of the same type
   * @param c receives the product; in 'f' order as {@code gemm} demands
   * @param transposeA whether op(A) = Aᵀ
   * @param transposeB whether op(B) = Bᵀ
   */
  public static void multiply(
      INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB) {
    new MatrixProduct().next(a, b, c, transposeA, transposeB);
  }

  /**
   * C ← op(A) op(B), the next of a series.
   *
   * @param a as for {@link #multiply}
   * @param b as for {@link #multiply}
   * @param c as for {@link #multiply}
   * @param transposeA as for {@link #multiply}
   * @param transposeB as for {@link #multiply}
   */
  public void next(INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB) {
    long[] shape = {a.size(0), a.size(1), b.size(0), b.size(1)};
    boolean known = Arrays.equals(shape, lastShape);
    if (!known || lastRight) {
      gemm.multiply(a, b, c, transposeA, transposeB);
    }
    if (!known) {
      lastShape = shape;
      lastRight = isRight(transposeA ? a.transpose() : a, transposeB ? b.transpose() : b, c);
      if (!lastRight) {
        warning.accept(
            String.format(
                Locale.ROOT,
                "the product of matrices of %d × %d and %d × %d (%s) was wrong: Java took its place",
                c.size(0),
                a.size(transposeA ? 0 : 1),
                a.size(transposeA ? 0 : 1),
                c.size(1),
                c.dataType()));
      }
    }
    if (!lastRight) {
      inJava(a, b, c, transposeA, transposeB);
    }
  }

  /**
   * C ← op(A) op(B) in Java, in double precision, rounded once.
   *
   * @param a A
   * @param b B
   * @param c receives the product
   * @param transposeA whether op(A) = Aᵀ
   * @param transposeB whether op(B) = Bᵀ
   */
  public static void inJava(
      INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB) {
    int rows = (int) c.size(0);
    int columns = (int) c.size(1);
    int inner = (int) a.size(transposeA ? 0 : 1);
    double[] left = entries(transposeA ? a.transpose() : a);
    double[] right = entries(transposeB ? b.transpose() : b);
    double[] product = new double[Math.multiplyExact(rows, columns)];
    IntStream.range(0, rows)
        .parallel()
        .forEach(
            i -> {
              for (int k = 0; k < inner; k++) {
                double factor = left[i * inner + k];
                for (int j = 0; j < columns; j++) {
                  product[i * columns + j] += factor * right[k * columns + j];
                }
              }
            });
    c.assign(Nd4j.createFromArray(product).reshape('c', rows, columns));
  }

  private static double[] entries(INDArray matrix) {
    return matrix.castTo(DataType.DOUBLE).dup('c').data().asDouble();
  }

  /** Whether c = a b. */
  private static boolean isRight(INDArray a, INDArray b, INDArray c) {
    if (c.size(0) > c.size(1)) {
      return isRight(b.transpose(), a.transpose(), c.transpose());
    }
    INDArray x = probe(c.size(1), c.dataType());
    INDArray gap = c.mmul(x).subi(a.mmul(b.mmul(x)));
    double unit = c.dataType() == DataType.FLOAT ? 0x1p-24 : 0x1p-53;
    double tolerance =
        ROUNDINGS
            * unit
            * Math.sqrt((double) (a.size(1) + c.size(1)))
            * a.norm2Number().doubleValue()
            * b.norm2Number().doubleValue()
            * x.norm2Number().doubleValue();
    return !Double.isFinite(tolerance) || gap.norm2Number().doubleValue() <= tolerance;
  }

  private static INDArray probe(long length, DataType type) {
    RandomStream random = new RandomStream(length);
    double[] x = new double[(int) length];
    for (int i = 0; i < x.length; i++) {
      x[i] = random.nextDouble() - 0.5;
    }
    return Nd4j.createFromArray(x).castTo(type).reshape(length, 1);
  }
}
