// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.lyapunov4j.TestGrams;
import org.lyapunov4j.gram.MatrixProduct.Gemm;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.nd4j.linalg.factory.Nd4j;

class MatrixProductTest {
  private final List<String> warnings = new ArrayList<>();

  private static INDArray gaussian(int rows, int columns, DataType type, long seed) {
    return Nd4j.create(TestGrams.gaussian(rows, columns, seed)).castTo(type).dup('f');
  }

  private static INDArray result(INDArray a, INDArray b) {
    return Nd4j.createUninitialized(a.dataType(), new long[] {a.size(0), b.size(1)}, 'f');
  }

  private static double[][] expected(INDArray a, INDArray b) {
    double[][] x = a.castTo(DataType.DOUBLE).toDoubleMatrix();
    double[][] y = b.castTo(DataType.DOUBLE).toDoubleMatrix();
    double[][] product = new double[x.length][y[0].length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < y[0].length; j++) {
        for (int k = 0; k < y.length; k++) {
          product[i][j] += x[i][k] * y[k][j];
        }
      }
    }
    return product;
  }

  private static void assertEqual(INDArray found, double[][] expected, double tolerance) {
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < expected[i].length; j++) {
        assertThat(found.getDouble(i, j)).isCloseTo(expected[i][j], within(tolerance));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({
    "40,30,20,DOUBLE",
    "40,30,20,FLOAT",
    "1,300,7,FLOAT",
    "7,300,1,DOUBLE",
    "1,9,1,DOUBLE",
    "130,140,150,FLOAT"
  })
  void givesTheProductInEveryForm(int m, int k, int n, DataType type) {
    INDArray a = gaussian(m, k, type, 1);
    INDArray b = gaussian(k, n, type, 2);
    double[][] expected = expected(a, b);
    double tolerance = type == DataType.FLOAT ? 1e-4 : 1e-12;
    for (int form = 0; form < 4; form++) {
      boolean transposeA = form % 2 == 1;
      boolean transposeB = form / 2 == 1;
      INDArray left = transposeA ? a.transpose().dup('f') : a;
      INDArray right = transposeB ? b.transpose().dup('f') : b;
      INDArray native_ = result(a, b);
      INDArray java = result(a, b);
      MatrixProduct.multiply(left, right, native_, transposeA, transposeB);
      MatrixProduct.inJava(left, right, java, transposeA, transposeB);
      assertEqual(native_, expected, tolerance);
      assertEqual(java, expected, tolerance);
    }
  }

  /** Right but for one entry. */
  private static Gemm off(double error) {
    return (a, b, c, transposeA, transposeB) -> {
      MatrixProduct.inJava(a, b, c, transposeA, transposeB);
      c.putScalar(c.size(0) - 1, c.size(1) - 1, c.getDouble(c.size(0) - 1, c.size(1) - 1) + error);
    };
  }

  @ParameterizedTest
  @CsvSource({
    "40,30,20,DOUBLE,1e-9",
    "130,10,7,DOUBLE,1e-9",
    "1,300,7,DOUBLE,1e-9",
    "7,300,1,DOUBLE,1e-9",
    "40,30,20,FLOAT,0.1",
    "40,30,20,FLOAT,NaN",
    "40,30,20,DOUBLE,Infinity"
  })
  void aWrongProductIsFormedAgain(int m, int k, int n, DataType type, double error) {
    INDArray a = gaussian(m, k, type, 1);
    INDArray b = gaussian(k, n, type, 2);
    INDArray c = result(a, b);

    new MatrixProduct(off(error), warnings::add).next(a, b, c, false, false);

    assertEqual(c, expected(a, b), type == DataType.FLOAT ? 1e-4 : 1e-12);
    assertThat(warnings)
        .containsExactly(
            "the product of matrices of %d × %d and %d × %d (%s) was wrong: Java took its place"
                .formatted(m, k, k, n, type));
  }

  @Test
  void aSeriesChecksTheFirstOfEachShapeAndReplacesTheRestOfIt() {
    INDArray a = gaussian(30, 30, DataType.DOUBLE, 1);
    INDArray b = gaussian(30, 30, DataType.DOUBLE, 2);
    INDArray narrow = gaussian(30, 10, DataType.DOUBLE, 3);
    Gemm wrongIfWide =
        (x, y, c, transposeA, transposeB) ->
            (c.size(1) == 30 ? off(1) : MatrixProduct.NATIVE)
                .multiply(x, y, c, transposeA, transposeB);
    MatrixProduct series = new MatrixProduct(wrongIfWide, warnings::add);

    for (INDArray right : List.of(b, b, narrow, narrow, b)) {
      INDArray c = result(a, right);
      series.next(a, right, c, false, false);
      assertEqual(c, expected(a, right), 1e-12);
    }

    assertThat(warnings).hasSize(2); // one for each run of the wrong shape
  }

  @Test
  void whatIsNotFiniteIsNoFaultOfTheLibrary() {
    INDArray a = gaussian(30, 30, DataType.FLOAT, 1);
    a.putScalar(3, 4, Float.NaN);
    INDArray c = result(a, a);

    new MatrixProduct(MatrixProduct.NATIVE, warnings::add).next(a, a, c, false, false);

    assertThat(c.getDouble(3, 4)).isNaN();
    assertThat(warnings).isEmpty();
  }

  @Test
  void rightProductsAreNotRefused() {
    for (DataType type : List.of(DataType.FLOAT, DataType.DOUBLE)) {
      for (int n : new int[] {1, 3, 64, 500}) {
        for (int k : new int[] {1, 10, 2000}) {
          // all of one sign, where roundings do not cancel
          INDArray a = gaussian(n, k, type, 1).muli(0.1).addi(3);
          INDArray b = gaussian(k, 70, type, 2).muli(0.1).addi(5);
          INDArray c = result(a, b);
          new MatrixProduct(MatrixProduct.NATIVE, warnings::add).next(a, b, c, false, false);
        }
      }
    }
    assertThat(warnings).isEmpty();
  }
}
