// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import java.util.ArrayList;
import java.util.List;
import org.lyapunov4j.step.RandomStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

/**
 * Runs every native routine this project uses on known matrices of several sizes and compares what
 * it gives with Java. Libraries choose their code by size, and were found wrong from 65 or 128 rows
 * on.
 */
public final class NativeSelfTest {
  private static final int[] SIZES = {16, 64, 65, 100, 128, 130, 200, 300};

  private NativeSelfTest() {}

  /**
   * A routine at one size.
   *
   * @param routine for people
   * @param size m, the rows of its square matrix
   * @param right whether the result agreed
   */
  public record Result(String routine, int size, boolean right) {}

  /**
   * Tests all routines; some seconds.
   *
   * @return a result for every routine and size, size by size
   */
  public static List<Result> run() {
    return run(EigenRoutines.ofTheLibrary(), MatrixProduct.NATIVE, NativeSelfTest::gemv);
  }

  /** ND4J multiplies with a vector in other ways than its {@code gemm} does. */
  private static void gemv(
      INDArray a, INDArray b, INDArray c, boolean transposeA, boolean transposeB) {
    c.assign((transposeA ? a.transpose() : a).mmul(transposeB ? b.transpose() : b));
  }

  static List<Result> run(
      List<EigenRoutine> routines, MatrixProduct.Gemm gemm, MatrixProduct.Gemm gemv) {
    List<Result> results = new ArrayList<>();
    for (int m : SIZES) {
      GramMatrix gram = gram(m);
      for (EigenRoutine routine : routines) {
        for (boolean vectors : new boolean[] {true, false}) {
          String name = routine.name() + (vectors ? ", eigenvectors" : ", eigenvalues");
          results.add(new Result(name, m, isRight(routine, gram, vectors)));
        }
      }
      for (DataType type : new DataType[] {DataType.DOUBLE, DataType.FLOAT}) {
        results.add(new Result("ND4J's gemm, " + type, m, isRight(gemm, m, m, type)));
        results.add(new Result("ND4J's gemv, " + type, m, isRight(gemv, m, 1, type)));
      }
    }
    return results;
  }

  private static boolean isRight(EigenRoutine routine, GramMatrix gram, boolean vectors) {
    GramMatrix scaled = gram.normalised();
    EigenCheck check = new EigenCheck(scaled);
    double[] a = SymmetricEigen.entries(scaled);
    try {
      double[] values = routine.solver().decompose(a, gram.size(), vectors);
      return check.acceptsValues(values)
          && check.acceptsLargest(values)
          && (!vectors || check.acceptsVectors(values, a));
    } catch (RuntimeException | LinkageError e) {
      return false;
    }
  }

  /** All four forms of a product, in full. */
  private static boolean isRight(MatrixProduct.Gemm gemm, int m, int columns, DataType type) {
    RandomStream random = new RandomStream(m);
    INDArray a = gaussian(m, m, type, random);
    INDArray b = gaussian(m, columns, type, random);
    INDArray expected = Nd4j.createUninitialized(type, new long[] {m, columns}, 'f');
    INDArray found = Nd4j.createUninitialized(type, new long[] {m, columns}, 'f');
    boolean right = true;
    for (int form = 0; form < 4; form++) {
      boolean transposeA = form % 2 == 1;
      boolean transposeB = form / 2 == 1;
      INDArray left = transposeA ? a.transpose().dup('f') : a;
      INDArray factor = transposeB ? b.transpose().dup('f') : b;
      MatrixProduct.inJava(left, factor, expected, transposeA, transposeB);
      gemm.multiply(left, factor, found, transposeA, transposeB);
      double gap = expected.sub(found).norm2Number().doubleValue();
      double tolerance = m * (type == DataType.FLOAT ? 0x1p-24 : 0x1p-53);
      right &= gap <= tolerance * expected.norm2Number().doubleValue();
    }
    return right;
  }

  private static INDArray gaussian(int rows, int columns, DataType type, RandomStream random) {
    double[] entries = new double[rows * columns];
    for (int i = 0; i < entries.length; i++) {
      entries[i] = random.nextGaussian();
    }
    return Nd4j.createFromArray(entries).reshape('f', rows, columns).castTo(type).dup('f');
  }

  /** An ill-conditioned one, as real ones are. */
  private static GramMatrix gram(int m) {
    RandomStream random = new RandomStream(m);
    GramRows rows = GramRows.zeros(m, false);
    for (int k = 0; k < m; k++) {
      double scale = 1.0 / ((k + 1.0) * (k + 1.0));
      double[] f = new double[m];
      for (int i = 0; i < m; i++) {
        f[i] = random.nextGaussian();
        for (int j = 0; j <= i; j++) {
          rows.add(i, j, scale * f[i] * f[j]);
        }
      }
    }
    return GramMatrix.adoptLowerHalf(rows, m, 1);
  }
}
