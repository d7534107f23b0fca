// SPDX-License-Identifier: Apache-2.0
package org.lyapunov4j.dl4j.gram;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Both contraction orders give the sums of outer products squared, whatever the layout. */
class ContractionTest {
  private static final int N = 5;
  private static final int K = 2;
  private static final int T = 3;
  private static final int P = 4;
  private static final int Q = 6;

  @ParameterizedTest
  @CsvSource({"true,1", "true,2", "true,9", "false,1", "false,2", "false,9"})
  void bothOrdersAgreeWithTheSums(boolean channelsFirst, int tileExamples) {
    INDArray a = Networks.gaussian(1, N, T, P);
    INDArray delta = Networks.gaussian(2, K, N, T, Q);
    JacobianBlock.Outer outer =
        channelsFirst
            ? new JacobianBlock.Outer(
                N,
                T,
                true,
                a.permute(0, 2, 1).dup('c'),
                delta.permute(0, 1, 3, 2).dup('c').reshape('c', K * N, Q, T))
            : new JacobianBlock.Outer(
                N, T, false, a.reshape('c', N * T, P), delta.reshape('c', K * N * T, Q));
    double[][] expected = NaiveJacobian.gram(rows(a, delta));
    GramAccumulator byPairs =
        new GramAccumulator(
            N, K, false, 6 * tileExamples, 10 * tileExamples, Tile.Product.NATIVE, () -> {});
    Contraction.addPairs(outer, byPairs);
    assertThat(Networks.distance(byPairs.toGram().toArray(), expected)).isLessThan(1e-14);
    GramAccumulator byRows =
        new GramAccumulator(
            N, K, false, 6 * tileExamples, 10 * tileExamples, Tile.Product.NATIVE, () -> {});
    Contraction.addRows(outer, (jacobian, from, to) -> {}, byRows, 3);
    assertThat(Networks.distance(byRows.toGram().toArray(), expected)).isLessThan(1e-14);
    INDArray v = Networks.gaussian(3, (long) N * K);
    double[] product = outer.gramTimes(v).data().asDouble();
    for (int r = 0; r < N * K; r++) {
      double sum = 0;
      for (int c = 0; c < N * K; c++) {
        sum += expected[r][c] * v.getDouble(c);
      }
      assertThat(product[r]).isCloseTo(sum, within(1e-11));
    }
  }

  private static double[][] rows(INDArray a, INDArray delta) {
    double[][] rows = new double[N * K][P * Q];
    for (int i = 0; i < N; i++) {
      for (int k = 0; k < K; k++) {
        for (int t = 0; t < T; t++) {
          for (int pq = 0; pq < P * Q; pq++) {
            rows[i * K + k][pq] += a.getDouble(i, t, pq / Q) * delta.getDouble(k, i, t, pq % Q);
          }
        }
      }
    }
    return rows;
  }
}
